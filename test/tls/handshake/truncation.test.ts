/** Client messages cut short, and with each of their lengths a little off: refused alike, however the bytes are split. */
import { test, type Test } from 'tap';
import { record } from '../../support/reference-protection.js';
import {
  handshakeMessage,
  helloBody,
  TestClient,
  vector16,
  type HelloOptions,
} from '../../support/test-client.js';
import { TestServer } from '../../support/test-server.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** Every extension the engine reads, each with the lengths inside it. */
const EXTENSIONS: readonly (readonly [type: number, body: Buffer])[] = [
  [0, hex('000d00000a6d782e6578616d706c65')],
  [1, hex('02')],
  [10, hex('0004001d0017')],
  [11, hex('0100')],
  [13, hex('000404010201')],
  [22, hex('')],
  [23, hex('')],
  [35, hex('')],
  [43, hex('0403030301')],
  [0xff01, hex('00')],
];

const HELLO: HelloOptions = {
  version: 0x0303,
  suites: [0xc02f, 0x2f],
  sessionId: Buffer.alloc(8, 5),
  extensions: EXTENSIONS,
};

interface LengthField {
  readonly name: string;
  readonly at: number;
  readonly size: number;
}

/** Where the lengths stand in a ClientHello's body (RFC 5246, 7.4.1.2). */
function lengthFields(body: Buffer): LengthField[] {
  const fields: LengthField[] = [];
  let at = 34;
  const step = (name: string, size: number): void => {
    fields.push({ name, at, size });
    at += size + body.readUIntBE(at, size);
  };
  step('session_id', 1);
  step('cipher_suites', 2);
  step('compression_methods', 1);
  fields.push({ name: 'extensions', at, size: 2 });
  at += 2;
  while (at < body.length) {
    const type = body.readUInt16BE(at);
    fields.push({ name: `extension ${type}`, at: at + 2, size: 2 });
    const inner = INNER_LENGTHS.get(type) ?? [];
    for (const [offset, size] of inner) {
      fields.push({ name: `inside extension ${type}`, at: at + 4 + offset, size });
    }
    at += 4 + body.readUInt16BE(at + 2);
  }
  return fields;
}

/** Offsets and sizes of the lengths inside an extension. */
const INNER_LENGTHS = new Map<number, readonly (readonly [offset: number, size: number])[]>([
  [
    0,
    [
      [0, 2],
      [3, 2],
    ],
  ],
  [10, [[0, 2]]],
  [11, [[0, 1]]],
  [13, [[0, 2]]],
  [43, [[0, 1]]],
  [0xff01, [[0, 1]]],
]);

/** What came of these bytes, the same for whole, halved and single bytes, or the test fails. */
function reaction(t: Test, name: string, start: () => TestServer, bytes: Buffer): string {
  const results = [bytes.length, Math.ceil(bytes.length / 2), 7, 1].map((size) => {
    const server = start();
    for (let at = 0; at < bytes.length; at += size) server.receive(bytes.subarray(at, at + size));
    return `${server.refusal ?? server.connection.state} ${server.outcome === undefined ? '' : server.take().toString('hex')}`;
  });
  if (new Set(results).size !== 1) t.fail(`${name}: ${results.join(' | ')}`);
  return results[0]!.split(' ')[0]!;
}

const hello = (body: Buffer): Buffer => record(22, 0x0301, handshakeMessage(1, body));
const fresh = (): TestServer => new TestServer();

test('a ClientHello cut short anywhere is a decode_error, or a shorter hello (RFC 5246, 7.4.1.2)', async (t) => {
  const body = helloBody(HELLO);
  const extensionsAt = lengthFields(body).find(({ name }) => name === 'extensions')!.at;
  const odd: string[] = [];
  for (let length = 0; length < body.length; length += 1) {
    const result = reaction(t, `${length} bytes`, fresh, hello(body.subarray(0, length)));
    const whole = length === extensionsAt;
    if ((result === 'malformed_message') === whole) odd.push(`${length}: ${result}`);
  }
  t.same(odd, [], 'only the hello without extensions is one');
});

test('each length of a ClientHello, one off or as large as it gets, is a decode_error', async (t) => {
  const body = helloBody(HELLO);
  t.equal(reaction(t, 'the hello itself', fresh, hello(body)), 'handshaking');
  const fields = lengthFields(body);
  t.ok(fields.length > 20, `${fields.length} lengths`);
  for (const { name, at, size } of fields) {
    const right = body.readUIntBE(at, size);
    for (const wrong of [right - 1, right + 1, 0, 2 ** (8 * size) - 1]) {
      if (wrong < 0 || wrong === right) continue;
      const changed = Buffer.from(body);
      changed.writeUIntBE(wrong, at, size);
      const result = reaction(t, `${name} ${wrong}`, fresh, hello(changed));
      t.match(
        result,
        /^(?:malformed_message|bad_extension|bad_renegotiation_info)$/,
        `${name}: ${right} as ${wrong}`,
      );
    }
  }
});

test('a handshake message longer or shorter than its length field is refused when its end is there', async (t) => {
  const body = helloBody(HELLO);
  const message = handshakeMessage(1, body);
  const shorter = Buffer.from(message);
  shorter.writeUIntBE(body.length - 1, 1, 3);
  t.equal(reaction(t, 'shorter', fresh, record(22, 0x0301, shorter)), 'malformed_message');
  const longer = Buffer.from(message);
  longer.writeUIntBE(body.length + 1, 1, 3);
  const completed = Buffer.concat([record(22, 0x0301, longer), record(22, 0x0301, Buffer.of(0))]);
  t.equal(reaction(t, 'longer', fresh, completed), 'malformed_message');
  const endless = Buffer.from(message);
  endless.writeUIntBE(0xffffff, 1, 3);
  t.equal(reaction(t, 'endless', fresh, record(22, 0x0301, endless)), 'message_too_long');
});

test('an SSLv2-format hello cut short or with a length off is refused (RFC 5246, E.2)', async (t) => {
  const body = helloBody({ format: 'sslv2', suites: [0x2f, 0x05], challenge: Buffer.alloc(32, 7) });
  const message = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.of(0x80 | (bytes.length >> 8), bytes.length & 0xff), bytes]);
  t.equal(reaction(t, 'itself', fresh, message(body)), 'handshaking');
  for (let length = 9; length < body.length; length += 1) {
    const result = reaction(t, `${length} bytes`, fresh, message(body.subarray(0, length)));
    t.equal(result, 'malformed_sslv2_hello', `${length} bytes`);
  }
  for (const at of [3, 5, 7]) {
    const right = body.readUInt16BE(at);
    for (const wrong of [right - 1, right + 1, right + 3, 0xffff]) {
      if (wrong < 0) continue;
      const changed = Buffer.from(body);
      changed.writeUInt16BE(wrong, at);
      const result = reaction(t, `${at}: ${wrong}`, fresh, message(changed));
      t.equal(result, 'malformed_sslv2_hello', `length at ${at}: ${right} as ${wrong}`);
    }
  }
});

const KEY_EXCHANGES: Record<string, { options: HelloOptions; lengthSize: number }> = {
  RSA: { options: { version: 0x0301, suites: [0x2f] }, lengthSize: 2 },
  DHE: { options: { version: 0x0301, suites: [0x33] }, lengthSize: 2 },
  ECDHE: {
    options: { version: 0x0301, suites: [0xc013], extensions: [[10, hex('00020017')]] },
    lengthSize: 1,
  },
};

for (const [name, { options, lengthSize }] of Object.entries(KEY_EXCHANGES)) {
  test(`a ClientKeyExchange for ${name}, cut short or with a wrong length, is a decode_error (RFC 5246, 7.4.7)`, async (t) => {
    const started = new TestServer();
    const client = new TestClient(options);
    started.receive(client.hello());
    client.receive(started.take());
    const body = client.clientKeyExchange();
    const start = (): TestServer => {
      const server = new TestServer();
      server.receive(new TestClient(options).hello());
      server.take();
      return server;
    };
    const send = (bytes: Buffer): Buffer => record(22, options.version!, handshakeMessage(16, bytes));
    const odd: string[] = [];
    for (let length = 0; length < body.length; length += 1) {
      const result = reaction(t, `${length} bytes`, start, send(body.subarray(0, length)));
      // The tolerance for a missing length is for exactly the modulus' length.
      if (result !== 'malformed_message' && !(lengthSize === 2 && length === 256))
        odd.push(`${length}: ${result}`);
    }
    t.same(odd, []);
    const trailing = Buffer.concat([body, Buffer.of(0)]);
    t.equal(reaction(t, 'trailing', start, send(trailing)), 'malformed_message', 'a byte too many');
    const right = body.readUIntBE(0, lengthSize);
    for (const wrong of [right - 1, right + 1, 0, 2 ** (8 * lengthSize) - 1]) {
      const changed = Buffer.from(body);
      changed.writeUIntBE(wrong, 0, lengthSize);
      t.equal(
        reaction(t, `length ${wrong}`, start, send(changed)),
        'malformed_message',
        `length ${right} as ${wrong}`,
      );
    }
  });
}

test('Finished of any length but its own is a decode_error, in SSLv3 and TLS (RFC 5246, 7.4.9)', async (t) => {
  for (const [version, right] of [
    [0x0300, 36],
    [0x0301, 12],
    [0x0303, 12],
  ] as const) {
    for (let length = 0; length <= right + 2; length += 1) {
      if (length === right) continue;
      const server = new TestServer();
      const client = new TestClient({ version });
      server.receive(client.hello());
      client.receive(server.take());
      const flight = [client.send(16, client.clientKeyExchange()), client.changeCipherSpec()];
      client.protectWrites();
      server.receive(Buffer.concat([...flight, client.send(20, Buffer.alloc(length))]));
      t.equal(server.refusal, 'malformed_message', `${version.toString(16)}: ${length} bytes`);
    }
  }
});

test('an alert of any length but two is a decode_error (RFC 5246, 7.2)', async (t) => {
  for (const bytes of ['01', '015a00', '02280228', '01000100']) {
    const start = (): TestServer => {
      const server = new TestServer();
      server.receive(new TestClient().hello());
      server.take();
      return server;
    };
    t.equal(reaction(t, bytes, start, record(21, 0x0301, hex(bytes))), 'malformed_alert', bytes);
  }
});

test('a server name longer than the message has nothing read beyond it (Heartbleed and its kin)', async (t) => {
  const name = vector16(Buffer.concat([Buffer.of(0), Buffer.of(0xff, 0xff), Buffer.from('mx')]));
  const body = helloBody({ version: 0x0303, extensions: [[0, name]] });
  t.equal(reaction(t, 'name', fresh, hello(body)), 'malformed_message');
});
