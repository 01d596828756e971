/** Whether this machine can do what the configured profiles promise; `serve` does not start where it cannot. */
import { UnusableValueError } from '../config/config-error.js';
import type { Config } from '../config/schema.js';
import { refuseMissingPrimitives } from '../proxy/termination/required-primitives.js';
import { loadCredential, type LoadedCredential } from '../credentials/credentials.js';
import type { Finding } from './finding.js';

/** Nothing where all is there, since it nearly always is. */
export function checkOpensslSupport(config: Config): Finding[] {
  for (const credentials of [[], usable(config)]) {
    try {
      refuseMissingPrimitives(config, credentials);
    } catch (error) {
      if (!(error instanceof UnusableValueError)) throw error;
      return error.problems.map(({ key, message }): Finding => {
        return { check: 'openssl-support', subject: key, verdict: 'bad', message, advice: [] };
      });
    }
  }
  return [];
}

/** Those that cannot be loaded are another finding. */
function usable({ certificates }: Config): LoadedCredential[] {
  return certificates.flatMap((certificate) => {
    try {
      return [loadCredential(certificate)];
    } catch {
      return [];
    }
  });
}
