/** A session to resume, for tests that follow its master secret. */
import type { Session } from '../../src/tls/index.js';

/** Each with a master secret of its own, because that is wiped. */
export function testSession(): Session {
  return {
    version: 0x0301,
    cipherSuite: 0x2f,
    masterSecret: Buffer.alloc(48, 5),
    extendedMasterSecret: true,
    encryptThenMac: false,
    maxFragmentLength: undefined,
    serverName: undefined,
    context: 'test',
  };
}
