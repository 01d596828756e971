import type { CipherSuite } from '../cipher-suites.js';
import type { NamedGroup, ProtocolVersion, SignatureScheme } from '../code-points.js';
import type { Credential } from '../server-parameters.js';

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
