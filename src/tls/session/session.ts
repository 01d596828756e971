/** The state that lets a client skip the key exchange next time (RFC 5246, 7.3). */
import type { ProtocolVersion } from '../code-points.js';

export interface Session {
  readonly version: ProtocolVersion;
  readonly cipherSuite: number;
  /** 48 bytes. */
  readonly masterSecret: Buffer;
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
  readonly maxFragmentLength: 512 | 1024 | 2048 | 4096 | undefined;
  readonly serverName: string | undefined;
  readonly context: string;
}

/** Bytes (RFC 5246, 8.1). */
export const MASTER_SECRET_LENGTH = 48;
