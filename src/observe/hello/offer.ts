/** What a hello offers, by name. */
import { isSslv2CipherKind, type ClientHello } from '../../tls/index.js';
import { isSuite } from './hello-numbers.js';
import { sslv2KindName, suiteName } from './suite-name.js';

export interface Offer {
  /** The first dozen in the client's order, without signalling values and GREASE. */
  readonly suites: readonly string[];
  /** Number of suites after these. */
  readonly more: number;
  /** Number of cipher kinds of SSL 2.0, which oldhello never accepts. */
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

/** Keeps a log line short; the text of the fingerprint has all of them. */
const MAX_SUITES = 12;
