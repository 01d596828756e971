/** What HelloSniffer calls a ClientHello is what ServerConnection reads as one, for right and wrong input, cut anywhere. */
import { test } from 'tap';
import { HelloSniffer } from '../../../src/tls/index.js';
import { record } from '../../support/reference-protection.js';
import { handshakeMessage, helloBody, TestClient } from '../../support/test-client.js';
import { TestServer } from '../../support/test-server.js';

const OPTIONS = {
  version: 0x0303,
  suites: [0x2f, 0xff],
  random: Buffer.alloc(32, 7),
  challenge: Buffer.alloc(16, 7),
  sessionId: Buffer.alloc(0),
  extensions: [[0x23, Buffer.alloc(0)] as const],
};

const message = handshakeMessage(1, helloBody(OPTIONS));

const HELLOS: Record<string, Buffer> = {
  'in one record': record(22, 0x0301, message),
  'in two records': Buffer.concat([
    record(22, 0x0301, message.subarray(0, 3)),
    record(22, 0x0303, message.subarray(3)),
  ]),
  'in SSLv2 format': new TestClient({ ...OPTIONS, format: 'sslv2' }).hello(),
};

/** What both make of `bytes` in pieces of `size`: a hello, or none. */
function verdicts(bytes: Buffer, size: number): { sniffer: boolean; connection: boolean } {
  const sniffer = new HelloSniffer();
  const server = new TestServer({ largeRecords: false });
  let sniffed = false;
  for (let at = 0; at < bytes.length && !sniffed; at += size) {
    const { kind } = sniffer.push(bytes.subarray(at, at + size));
    if (kind !== 'need_more' && kind !== 'client_hello') break;
    sniffed = kind === 'client_hello';
  }
  for (let at = 0; at < bytes.length; at += size) server.receive(bytes.subarray(at, at + size));
  return { sniffer: sniffed, connection: server.connection.clientHello !== undefined };
}

test('the sniffer and the connection agree on what a hello is, whichever byte is wrong', async (t) => {
  for (const [title, bytes] of Object.entries(HELLOS)) {
    t.same(verdicts(bytes, 1), { sniffer: true, connection: true }, title);
    const odd: string[] = [];
    for (let at = 0; at < bytes.length; at += 1) {
      for (const wrong of [0, 1, 3, 4, 0x16, 0x80, 0xff, bytes[at]! - 1, bytes[at]! + 1]) {
        const changed = Buffer.from(bytes);
        changed[at] = wrong;
        for (const size of [1, 7, Infinity]) {
          const { sniffer, connection } = verdicts(changed, size);
          if (sniffer !== connection) odd.push(`byte ${at} as ${wrong & 0xff}, in pieces of ${size}`);
        }
      }
    }
    t.same(odd, [], title);
  }
});
