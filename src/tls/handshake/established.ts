import type { CipherSuite } from '../cipher-suites.js';
import type { NamedGroup, ProtocolVersion, SignatureScheme } from '../code-points.js';
import type { Credential } from '../server-parameters.js';
import type { Negotiated } from './negotiate.js';

/** What both sides agreed on; holds no secret. */
export interface Established {
  readonly version: ProtocolVersion;
  readonly suite: CipherSuite;
  readonly resumed: boolean;
  readonly serverName: string | undefined;
  readonly secureRenegotiation: boolean;
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
  readonly maxFragmentLength: number | undefined;
  /** Undefined on a resumed session, which shows no certificate. */
  readonly credential: Credential | undefined;
  readonly group: NamedGroup | undefined;
  /** Bits of the prime of a DHE key exchange. */
  readonly dhBits: number | undefined;
  readonly signatureScheme: SignatureScheme | undefined;
}

type KeyExchangeInfo = Pick<Established, 'credential' | 'group' | 'dhBits' | 'signatureScheme'>;

/** @param negotiated undefined on a resumed session */
export function keyExchangeInfo(negotiated: Negotiated | undefined): KeyExchangeInfo {
  const keyExchange = negotiated?.keyExchange;
  const signed = keyExchange?.kind === 'rsa' ? undefined : keyExchange;
  return {
    credential: negotiated?.credential,
    group: keyExchange?.kind === 'ecdhe' ? keyExchange.group : undefined,
    dhBits: keyExchange?.kind === 'dhe' ? 8 * keyExchange.group.prime.length : undefined,
    signatureScheme: signed?.signatureScheme,
  };
}
