/** Checks that this machine supports the configured profiles; otherwise `serve` does not start. */
import { UnusableValueError } from '../config/config-error.js';
import type { Config } from '../config/schema.js';
import { refuseMissingPrimitives } from '../proxy/termination/required-primitives.js';
import { loadCredential, type LoadedCredential } from '../credentials/credentials.js';
import type { Finding } from './finding.js';

/** No finding if all is supported, which is the usual case. */
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

/** Certificates that cannot be loaded are another finding. */
function usable({ certificates }: Config): LoadedCredential[] {
  return certificates.flatMap((certificate) => {
    try {
      return [loadCredential(certificate)];
    } catch {
      return [];
    }
  });
}
