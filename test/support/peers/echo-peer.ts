/** A TLS client that we did not write, told exactly what to offer, which sends data to an echo and wants it back. */
import { CIPHER_SUITES, ProtocolVersion } from '../../../src/tls/index.js';
import type { CipherSuite, HelloFormat, ProtocolVersionName } from '../../../src/tls/index.js';
import type { EngineEchoServer, Exchange } from '../engine-echo-server.js';

export interface Handshake {
  readonly suite: CipherSuite;
  readonly version: ProtocolVersionName;
  readonly format: HelloFormat;
}

/** What a client does only when it is told to. */
export interface Switches {
  readonly serverName?: string;
  readonly maxFragmentLength?: 512 | 1024 | 2048 | 4096;
  readonly encryptThenMac?: false;
  readonly extendedMasterSecret?: false;
  /** Sends TLS_FALLBACK_SCSV. */
  readonly fallback?: true;
  /** Sends a byte at a time. */
  readonly drip?: true;
}

export interface Order extends Switches {
  readonly handshake: Handshake;
  /** Take session tickets; otherwise session ids are all there is. */
  readonly tickets: boolean;
  /** A full handshake, and what else there is: connections that offer the session of the one before. */
  readonly exchanges: readonly Exchange[];
}

export interface EchoPeer {
  readonly title: string;
  /** What is missing here to run it; undefined where it can be. */
  readonly lack: string | undefined;
  readonly formats: readonly HelloFormat[];
  readonly switches: readonly (keyof Switches)[];
  /** Bytes each way on most connections: several records, if it is quick. */
  readonly usual: number;
  /** And on a few. */
  readonly bulk: number;
  start(): RunningEchoPeer;
}

export interface RunningEchoPeer {
  /**
   * Tells the server what to expect, as near to the order as the client can be made to come, and does it.
   * @returns what went wrong, in the client's words
   */
  run(server: EngineEchoServer, order: Order): Promise<string | undefined>;
  close(): void;
}

/** Every handshake that our table has a row for. */
export function allHandshakes(formats: readonly HelloFormat[]): Handshake[] {
  const versions = Object.keys(ProtocolVersion) as ProtocolVersionName[];
  return formats.flatMap((format) =>
    versions.flatMap((version) =>
      CIPHER_SUITES.filter(
        ({ minVersion, maxVersion }) =>
          minVersion <= ProtocolVersion[version] && ProtocolVersion[version] <= maxVersion,
      ).map((suite) => ({ suite, version, format })),
    ),
  );
}

/** @param opensslName as OpenSSL calls the suite */
export function handshakeOf(
  opensslName: string,
  version: ProtocolVersionName,
  format: HelloFormat = 'record',
): Handshake {
  return { suite: CIPHER_SUITES.find((suite) => suite.opensslName === opensslName)!, version, format };
}
