/** What is made once of each configured backend. */
import type { Config } from '../config/schema.js';
import type { Log } from '../observe/log.js';
import type { BackendPlan } from './backend-session.js';
import { BackendTls } from './backend-tls.js';
import type { TrustedCas } from './trusted-cas.js';

export function backendPlans({ backends, server }: Config, cas: TrustedCas, log: Log): BackendPlan[] {
  return backends.map((config) => {
    const ca = config.tlsCa && cas[config.tlsCa];
    const tls = config.tls === 'none' ? undefined : new BackendTls(config, ca);
    return { config, hostname: server.hostname, log, tls };
  });
}
