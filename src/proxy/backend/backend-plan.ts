/** What is made once for each configured backend. */
import { passesTlsOn } from '../../config/passthrough.js';
import type { BackendConfig, Config } from '../../config/schema.js';
import type { Log } from '../../observe/log.js';
import { LearntReplies, LIVE_REASONS } from '../../smtp/learnt-replies.js';
import type { AddressBook } from './address-book.js';
import type { BackendPlan } from './open-session.js';
import { BackendTls } from './backend-tls.js';
import type { TrustedCas } from './trusted-cas.js';

/** @param addresses of this process */
export function backendPlans(
  { backends, server, limits }: Config,
  cas: TrustedCas,
  log: Log,
  addresses: AddressBook,
): BackendPlan[] {
  const { greetingTimeout } = limits;
  return backends.map((config) => {
    const tls = config.tls === 'none' ? undefined : new BackendTls(config, caOf(config, cas));
    return {
      config,
      hostname: server.hostname,
      log,
      tls,
      learnt: learntOf(config, log),
      addresses,
      greetingTimeout,
    };
  });
}

/**
 * If the TLS of clients goes to the backend, it does so in their first session; and what one address replies need not be what
 * another one does.
 */
function learntOf({ name, address, firstSession, tls }: BackendConfig, log: Log): LearntReplies | undefined {
  if (firstSession === 'live' || passesTlsOn(tls) || address.length > 1) return undefined;
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
