/** What is made once for each configured backend. */
import type { BackendConfig, Config } from '../../config/schema.js';
import type { Log } from '../../observe/log.js';
import type { BackendPlan } from './open-session.js';
import { BackendTls } from './backend-tls.js';
import type { TrustedCas } from './trusted-cas.js';

export function backendPlans({ backends, server }: Config, cas: TrustedCas, log: Log): BackendPlan[] {
  return backends.map((config) => {
    const tls = config.tls === 'none' ? undefined : new BackendTls(config, caOf(config, cas));
    return { config, hostname: server.hostname, log, tls };
  });
}

/** Never falls back to other authorities if tls-ca is set. */
function caOf({ tlsCa }: BackendConfig, cas: TrustedCas): string | undefined {
  if (tlsCa === undefined) return undefined;
  const ca = cas[tlsCa];
  if (ca === undefined) throw new Error(`${tlsCa} was not read`);
  return ca;
}
