/** The authorities that backends are checked against, from the files of `tls-ca`. */
import { orUnusable } from '../../config/config-error.js';
import type { Config } from '../../config/schema.js';
import { readPemChain } from '../../credentials/pem.js';

/** PEM, by the file it was read from. */
export type TrustedCas = Readonly<Record<string, string>>;

/**
 * Read once for a configuration: what the files hold later is not what a process that starts later trusts.
 * @throws UnusableValueError
 */
export function readTrustedCas({ backends }: Config): TrustedCas {
  const cas: Record<string, string> = {};
  for (const [index, { tls, tlsCa }] of backends.entries()) {
    if (tls === 'none' || tlsCa === undefined) continue;
    // Read with care, for node:tls takes any text, and trusts nobody where there is no certificate in it.
    const read = (): string => readPemChain({ key: 'tls-ca', path: tlsCa }).join('');
    cas[tlsCa] ??= orUnusable('backend', index, 'tls-ca', read);
  }
  return cas;
}
