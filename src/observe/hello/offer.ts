/** What a hello offers, by name. */
import { isSslv2CipherKind, type ClientHello } from '../../tls/index.js';
import { isSuite } from './hello-numbers.js';
import { sslv2KindName, suiteName } from './suite-name.js';

export interface Offer {
  /** In the client's order, the first dozen; signalling values and GREASE are no suites. */
  readonly suites: readonly string[];
  /** How many suites follow these. */
  readonly more: number;
  /** Cipher kinds of SSL 2.0 among them, which cannot be served. */
  readonly sslv2Kinds: number;
}

export function offerOf({ cipherSuites, sslv2 }: ClientHello): Offer {
  const suites = cipherSuites.filter(isSuite);
  return {
    suites: suites.slice(0, MAX_SUITES).map(suiteName),
    more: Math.max(0, suites.length - MAX_SUITES),
    sslv2Kinds: sslv2?.cipherSpecs.filter(isSslv2CipherKind).length ?? 0,
  };
}

/** "RC4-MD5, RC4-SHA and 3 more, 2 of SSL 2.0" */
export function offerInWords(hello: ClientHello): string {
  const { suites, more, sslv2Kinds } = offerOf(hello);
  const shown = suites.join(', ') + (more > 0 ? ` and ${more} more` : '');
  if (sslv2Kinds === 0) return shown;
  return shown === '' ? kindsInWords(hello) : `${shown}, ${sslv2Kinds} of SSL 2.0`;
}

function kindsInWords({ sslv2 }: ClientHello): string {
  const kinds = sslv2!.cipherSpecs.filter(isSslv2CipherKind);
  const shown = kinds.slice(0, MAX_SUITES).map(sslv2KindName).join(', ');
  return shown + (kinds.length > MAX_SUITES ? ` and ${kinds.length - MAX_SUITES} more` : '');
}

/** A log line stays a line; the fingerprint's text has them all. */
const MAX_SUITES = 12;
