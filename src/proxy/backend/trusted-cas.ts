/** The certificate authorities for backends, from the files of `tls-ca`. */
import { orUnusable } from '../../config/config-error.js';
import type { Config } from '../../config/schema.js';
import { readPemChain } from '../../credentials/pem.js';

/** PEM, by the file it was read from. */
export type TrustedCas = Readonly<Record<string, string>>;

/**
 * Read once for a configuration, so that processes that start later trust the same.
 * @throws UnusableValueError
 */
export function readTrustedCas({ backends }: Config): TrustedCas {
  const cas: Record<string, string> = {};
  for (const [index, { tls, tlsCa }] of backends.entries()) {
    if (tls === 'none' || tlsCa === undefined) continue;
    // Checked here, because node:tls accepts any text, and trusts no certificate if there is none in it.
    const read = (): string => readPemChain({ key: 'tls-ca', path: tlsCa }).join('');
    cas[tlsCa] ??= orUnusable('backend', index, 'tls-ca', read);
  }
  return cas;
}
