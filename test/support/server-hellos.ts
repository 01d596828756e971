/** ServerHellos as a backend with TLS of its own sends them. */
import { createHash } from 'node:crypto';
import { u16, vector16 } from './test-client.js';

export interface ServerHelloOptions {
  /** Bytes. */
  readonly sessionId: number;
  readonly suite: number;
  /** In supported_versions; absent: there is no such extension. */
  readonly selectedVersion?: number;
  readonly random?: Buffer;
}

/** One record with one ServerHello (RFC 5246, 7.4.1.3). */
export function serverHelloRecord({ sessionId, suite, selectedVersion, random }: ServerHelloOptions): Buffer {
  const versions = selectedVersion === undefined ? [] : [u16(43), vector16(u16(selectedVersion))];
  const body = Buffer.concat([
    u16(0x0303),
    random ?? Buffer.alloc(32, 1),
    Buffer.of(sessionId),
    Buffer.alloc(sessionId, 2),
    u16(suite),
    Buffer.of(0),
    vector16(Buffer.concat([u16(23), u16(0), ...versions])),
  ]);
  const message = Buffer.concat([Buffer.of(2, 0), vector16(body)]);
  return Buffer.concat([Buffer.of(22, 3, 3), vector16(message)]);
}

/** RFC 8446, 4.1.4: asks the client for another hello. */
export const HELLO_RETRY_REQUEST = serverHelloRecord({
  sessionId: 32,
  suite: 0x1301,
  selectedVersion: 0x0304,
  random: createHash('sha256').update('HelloRetryRequest').digest(),
});

/**
 * A record with a ServerHello whose length is 0, and zeros behind it: malformed, and long enough for a reader that
 * trusts the length of the record.
 */
export const EMPTY_SERVER_HELLO = Buffer.concat([Buffer.from('160303004002000000', 'hex'), Buffer.alloc(60)]);
