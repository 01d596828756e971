/** What the first five bytes of a connection decide, and how the engine answers each kind. */
import { test } from 'tap';
import { Acceptor } from '../../../src/tls/index.js';
import { record } from '../../support/reference-protection.js';
import { TestClient } from '../../support/test-client.js';
import { TestServer } from '../../support/test-server.js';

/** First bytes; what the acceptor calls them; what the engine answers. */
const BEGINNINGS: readonly (readonly [hex: string, kind: string, answer: string])[] = [
  // The whole SSLv2 ERROR message with NO-CIPHER-ERROR, and no SSL 2.0 besides (RFC 6176, 3).
  ['802e010002', 'pure_sslv2', '8003000001'],
  ['002e000100', 'sslv2_padded_header', ''],
  ['402e080103', 'sslv2_padded_header', ''],
  ['802e040301', 'garbage', ''],
  ['802e020002', 'garbage', ''],
  ['8000000000', 'garbage', ''],
  ['0000000000', 'garbage', ''],
  ['4548 4c4f20', 'plaintext', ''],
  ['0d0a0d0a09', 'plaintext', ''],
  ['7f4f504f20', 'garbage', ''],
  ['1503010002' + '0228', 'alert', ''],
  ['1602000100', 'malformed', '15030100020246'],
  ['1604010100', 'malformed', '15030300020246'],
  ['802e010200', 'malformed', '15030100020246'],
  ['802e010400', 'malformed', '15030300020246'],
  // Record types that are none, heartbeat among them, whatever length follows.
  ['1803010103', 'malformed', '1503010002020a'],
  ['1803040103', 'malformed', '1503030002020a'],
  ['6303010103', 'malformed', '1503010002020a'],
  ['1603010000', 'malformed', '1503010002020a'],
  ['1603014001', 'malformed', '15030100020216'],
  // From the length alone: nobody waits for 32 KiB of hello.
  ['9001010301', 'malformed', '15030100020232'],
  ['800b010301', 'malformed', '15030100020232'],
];

test('five bytes decide what a connection begins with, and each kind has its answer (RFC 5246, E.2; RFC 6176, 3)', async (t) => {
  for (const [hex, kind, answer] of BEGINNINGS) {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    t.equal(new Acceptor().push(Buffer.from(bytes))?.kind, kind, hex);
    const server = new TestServer({ largeRecords: false });
    server.receive(bytes);
    t.equal(server.sent.toString('hex'), answer, hex);
    t.equal(server.connection.state, 'ended', hex);
  }
});

test('four bytes decide nothing yet', async (t) => {
  for (const [hex] of BEGINNINGS) {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex').subarray(0, 4);
    t.equal(new Acceptor().push(Buffer.from(bytes)), undefined, hex);
    const server = new TestServer();
    server.receive(bytes);
    t.equal(server.connection.state, 'awaiting_hello', hex);
  }
});

test('what follows a hello in the same piece is read as records, in both formats', async (t) => {
  for (const format of ['record', 'sslv2'] as const) {
    const followed = (bytes: Buffer): TestServer => {
      const server = new TestServer();
      server.receive(Buffer.concat([new TestClient({ format }).hello(), bytes]));
      t.equal(server.sent[0], 22, 'the hello itself is answered');
      return server;
    };
    t.match(followed(record(21, 0x0301, Buffer.of(1, 0))).outcome, { kind: 'closed', by: 'client' }, format);
    t.equal(followed(record(23, 0x0301, Buffer.from('x'))).refusal, 'unexpected_record', format);
    t.equal(followed(Buffer.from('8003')).outcome, undefined, 'what is no whole record waits');
  }
});
