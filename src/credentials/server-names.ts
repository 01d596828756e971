/** Which of the certificates a listener shows: those for its names. */
import { UnusableValueError } from '../config/config-error.js';
import type { Config } from '../config/schema.js';
import { namedCredentials, type Credential } from '../tls/index.js';

interface Loaded {
  readonly credential: Credential;
}

/**
 * Those for any of the names, in their order; a certificate for exactly a name rather than one with a wildcard.
 * @param serverNames of a listener; empty for all certificates
 */
export function certificatesNamed<L extends Loaded>(
  serverNames: readonly string[],
  loaded: readonly L[],
): readonly L[] {
  if (serverNames.length === 0) return loaded;
  const credentials = loaded.map(({ credential }) => credential);
  const shown = new Set(serverNames.flatMap((name) => namedCredentials(credentials, name)));
  return loaded.filter(({ credential }) => shown.has(credential));
}

/** @throws UnusableValueError for the first name of a listener that no certificate has */
export function refuseUncoveredNames(
  { listeners }: Pick<Config, 'listeners'>,
  loaded: readonly Loaded[],
): void {
  const credentials = loaded.map(({ credential }) => credential);
  for (const [index, { serverNames }] of listeners.entries()) {
    const uncovered = serverNames.find((name) => namedCredentials(credentials, name).length === 0);
    if (uncovered === undefined) continue;
    const known = [...new Set(credentials.flatMap((one) => one.serverNames))];
    const cause = new Error(
      `no [[certificate]] has the name "${uncovered}"; ` +
        `they have ${known.length === 0 ? 'none' : known.slice(0, MAX_NAMES_TOLD).join(', ')}`,
    );
    throw new UnusableValueError('listener', index, 'server-names', cause);
  }
}

/** A certificate may have a hundred. */
const MAX_NAMES_TOLD = 10;
