/** What is made once of each configured backend. */
import { orUnusable } from '../config/config-error.js';
import type { Config } from '../config/schema.js';
import type { Log } from '../observe/log.js';
import type { BackendPlan } from './backend-session.js';
import { BackendTls } from './backend-tls.js';

/** @throws UnusableValueError for a tls-ca file */
export function backendPlans({ backends, server }: Config, log: Log): BackendPlan[] {
  return backends.map((config, index) => {
    const tls =
      config.tls === 'none'
        ? undefined
        : orUnusable('backend', index, 'tls-ca', () => new BackendTls(config));
    return { config, hostname: server.hostname, log, tls };
  });
}
