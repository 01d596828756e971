/** What is made once for each configured backend. */
import { passesTlsOn } from '../../config/passthrough.js';
import type { BackendConfig, Config } from '../../config/schema.js';
import type { Log } from '../../observe/log.js';
import { LearntReplies, LIVE_REASONS } from '../../smtp/learnt-replies.js';
import type { BackendPlan } from './open-session.js';
import { BackendTls } from './backend-tls.js';
import type { TrustedCas } from './trusted-cas.js';

export function backendPlans({ backends, server }: Config, cas: TrustedCas, log: Log): BackendPlan[] {
  return backends.map((config) => {
    const tls = config.tls === 'none' ? undefined : new BackendTls(config, caOf(config, cas));
    return { config, hostname: server.hostname, log, tls, learnt: learntOf(config, log) };
  });
}

/** If the TLS of clients goes to the backend, it does so in their first session. */
function learntOf({ name, firstSession, tls }: BackendConfig, log: Log): LearntReplies | undefined {
  if (firstSession === 'live' || passesTlsOn(tls)) return undefined;
  return new LearntReplies((reason, forMs) => {
    log('first_session_live', { backend: name, reason: LIVE_REASONS[reason], minutes: forMs / 60_000 });
  });
}

/** Never falls back to other authorities if tls-ca is set. */
function caOf({ tlsCa }: BackendConfig, cas: TrustedCas): string | undefined {
  if (tlsCa === undefined) return undefined;
  const ca = cas[tlsCa];
  if (ca === undefined) throw new Error(`${tlsCa} was not read`);
  return ca;
}
