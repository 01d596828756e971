import { test } from 'tap';
import {
  portableBytes,
  portableSession,
  restoreBytes,
  restoreSession,
} from '../../../src/proxy/workers/worker-protocol.js';
import type { Session } from '../../../src/tls/index.js';

const SESSION: Session = {
  version: 0x0301,
  cipherSuite: 0x002f,
  masterSecret: Buffer.from(Array.from({ length: 48 }, (_, index) => 255 - index)),
  extendedMasterSecret: true,
  encryptThenMac: false,
  maxFragmentLength: undefined,
  serverName: undefined,
  context: 'mx \u0000 ü',
};

/** Through the channel between two processes. */
function sent<T>(message: T): T {
  return JSON.parse(JSON.stringify(message)) as T;
}

test('a session is in the other process what it was in the first', async (t) => {
  t.strictSame(restoreSession(sent(portableSession(SESSION))), SESSION);
  const named: Session = { ...SESSION, maxFragmentLength: 512, serverName: 'mx.example' };
  t.strictSame(restoreSession(sent(portableSession(named))), named);
});

test('bytes of any value arrive', async (t) => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  t.strictSame(restoreBytes(sent(portableBytes(all))), all);
  t.equal(restoreBytes(portableBytes(Buffer.alloc(0))).length, 0);
});
