/** The profiles that a configuration uses, held against what this machine's OpenSSL computes. */
import { UnusableValueError } from '../../config/config-error.js';
import { endsTls } from '../../config/passthrough.js';
import type { Config, TlsSettings } from '../../config/schema.js';
import type { LoadedCredential } from '../../credentials/credentials.js';
import { explainMissing, missingPrimitives } from '../../credentials/openssl-support.js';
import { policyOf } from './tls-profiles.js';

/** Where in the configuration a profile is asked for, and with which settings. */
interface Use {
  readonly table: 'tls' | 'policy';
  readonly index: number | undefined;
  readonly settings: TlsSettings;
}

/** @throws UnusableValueError for the first profile that would offer what cannot be done */
export function refuseMissingPrimitives(config: Config, credentials: readonly LoadedCredential[]): void {
  const shown = credentials.filter(({ use }) => use !== 'modern');
  for (const { table, index, settings } of profilesOf(config)) {
    const missing = missingPrimitives(policyOf(settings), shown);
    if (missing.length > 0)
      throw new UnusableValueError(table, index, 'profile', new Error(explainMissing(missing)));
  }
}

function profilesOf(config: Config): Use[] {
  if (!endsTls(config)) return [];
  const { tls, policies } = config;
  const own = policies.flatMap(({ profile }, index): Use[] =>
    profile === undefined ? [] : [{ table: 'policy', index, settings: { ...tls, profile } }],
  );
  return [{ table: 'tls', index: undefined, settings: tls }, ...own];
}
