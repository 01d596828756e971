/** RSA key exchange tells nobody what was wrong with an EncryptedPreMasterSecret (Bleichenbacher, ROBOT, Marvin). */
import { constants, publicEncrypt, randomBytes } from 'node:crypto';
import { test } from 'tap';
import { unpadPremasterSecret } from '../../../src/tls/crypto/rsa-premaster.js';
import { decryptWithoutPadding } from '../../../src/tls/index.js';
import { TestClient, vector16 } from '../../support/test-client.js';
import { RSA, TestServer } from '../../support/test-server.js';

const LENGTH = 256;
const SUBSTITUTE = Buffer.alloc(48, 0x5a);
const SECRET = Buffer.concat([Buffer.from('0301', 'hex'), Buffer.alloc(46, 0x77)]);

/** RFC 8017, 7.2.1: 00 02 PS 00 M. */
function block(message: Buffer = SECRET, padding = 0xaa): Buffer {
  const ps = Buffer.alloc(LENGTH - 3 - message.length, padding);
  return Buffer.concat([Buffer.of(0, 2), ps, Buffer.of(0), message]);
}

function changed(at: number, value: number): Buffer {
  const bytes = block();
  bytes[at] = value;
  return bytes;
}

const SEPARATOR = LENGTH - 49;

/** The kinds of malformation that the Wycheproof suite has for RSAES-PKCS1-v1_5, and those of a premaster secret. */
const MALFORMED: Record<string, Buffer> = {
  'a first byte that is not zero': changed(0, 1),
  'block type 0': changed(1, 0),
  'block type 1': changed(1, 1),
  'block type 255': changed(1, 0xff),
  'no padding at all': changed(2, 0),
  'a padding of 7 bytes': changed(9, 0),
  'a zero in the last byte of the padding': changed(SEPARATOR - 1, 0),
  'no zero behind the padding': changed(SEPARATOR, 0xaa),
  'no zero anywhere': block(Buffer.alloc(48, 0x11)).fill(0x22, 2),
  'a secret of 47 bytes': block(SECRET.subarray(0, 47)),
  'a secret of 49 bytes': block(Buffer.concat([SECRET, Buffer.of(1)])),
  'an empty secret': block(Buffer.alloc(0)),
  'another version': block(Buffer.concat([Buffer.from('0300', 'hex'), SECRET.subarray(2)])),
  'the version turned round': block(Buffer.concat([Buffer.from('0103', 'hex'), SECRET.subarray(2)])),
  'nothing but zeros': Buffer.alloc(LENGTH),
};

test('a right block gives the secret, whatever its padding holds', async (t) => {
  for (const padding of [1, 3, 0x7f, 0x80, 0xff]) {
    t.same(unpadPremasterSecret(block(SECRET, padding), 0x0301, SUBSTITUTE, 0x0301), SECRET);
  }
  t.same(unpadPremasterSecret(block(), 0x0303, SUBSTITUTE, 0x0301), SECRET, 'nor which of the two versions');
});

test('every malformation gives the substitute, bit for bit', async (t) => {
  for (const [name, bytes] of Object.entries(MALFORMED)) {
    t.same(unpadPremasterSecret(bytes, 0x0301, SUBSTITUTE, 0x0301), SUBSTITUTE, name);
  }
  for (let at = 2; at < SEPARATOR; at += 1) {
    t.same(unpadPremasterSecret(changed(at, 0), 0x0301, SUBSTITUTE, 0x0301), SUBSTITUTE, `a zero at ${at}`);
  }
  for (let value = 0; value < 256; value += 1) {
    const results = [
      [0, value === 0],
      [1, value === 2],
      [SEPARATOR, value === 0],
      [SEPARATOR + 1, value === 3],
      [SEPARATOR + 2, value === 1],
    ] as const;
    for (const [at, good] of results) {
      const result = unpadPremasterSecret(changed(at, value), 0x0301, SUBSTITUTE, 0x0301);
      if (good !== !result.equals(SUBSTITUTE)) t.fail(`${value} at ${at}`);
    }
  }
});

test('the same bytes are read in the same order, good block or bad (Marvin)', async (t) => {
  const ways = new Set<string>();
  for (const bytes of [block(), ...Object.values(MALFORMED)]) {
    const trace: string[] = [];
    const traced = new Proxy(bytes, {
      get: (target, key) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) trace.push(key);
        return Reflect.get(target, key, target) as unknown;
      },
    });
    unpadPremasterSecret(traced, 0x0301, SUBSTITUTE, 0x0301);
    ways.add(trace.join());
  }
  t.equal(ways.size, 1);
});

/** A whole handshake with this plaintext in the ClientKeyExchange; what the server sends behind it. */
function answerTo(bytes: Buffer, version: number): { reaction: string; reason: string | undefined } {
  const server = new TestServer();
  const client = new TestClient({ version, suites: [0x2f] });
  server.receive(client.hello());
  client.receive(server.take());
  client.clientKeyExchange();
  const encrypted = publicEncrypt(
    { key: client.certificate.publicKey, padding: constants.RSA_NO_PADDING },
    bytes,
  );
  server.receive(client.send(16, version === 0x0300 ? encrypted : vector16(encrypted)));
  const early = `${server.outcome === undefined ? 'silent' : 'ended'}, ${server.take().length} bytes`;
  const changeCipherSpec = client.changeCipherSpec();
  client.protectWrites();
  server.receive(Buffer.concat([changeCipherSpec, client.finished()]));
  return { reaction: `${early}, then ${server.take().toString('hex')}`, reason: server.refusal };
}

test('on the wire every malformation is the same: nothing until Finished, then bad_record_mac (RFC 5246, 7.4.7.1)', async (t) => {
  for (const version of [0x0300, 0x0301, 0x0303]) {
    const alert = `1503${(version & 0xff).toString(16).padStart(2, '0')}00020214`;
    for (const [name, bytes] of Object.entries({
      ...MALFORMED,
      'random bytes': randomBytes(LENGTH).fill(0, 0, 1),
    })) {
      t.same(
        answerTo(bytes, version),
        { reaction: `silent, 0 bytes, then ${alert}`, reason: 'bad_record_mac' },
        `${name}, ${version.toString(16)}`,
      );
    }
  }
});

test('a ciphertext not below the modulus is treated like every other bad ciphertext', async (t) => {
  for (const version of [0x0300, 0x0301]) {
    const server = new TestServer();
    const client = new TestClient({ version, suites: [0x2f] });
    server.receive(client.hello());
    client.receive(server.take());
    client.clientKeyExchange();
    const tooLarge = Buffer.alloc(LENGTH, 0xff);
    server.receive(client.send(16, version === 0x0300 ? tooLarge : vector16(tooLarge)));
    t.equal(server.outcome, undefined, 'nothing tells of it yet');
    const changeCipherSpec = client.changeCipherSpec();
    client.protectWrites();
    server.receive(Buffer.concat([changeCipherSpec, client.finished()]));
    t.equal(server.refusal, 'bad_record_mac');
  }
  const block = decryptWithoutPadding(RSA.key, Buffer.alloc(LENGTH, 0xff), LENGTH);
  t.same(block, Buffer.alloc(LENGTH), 'and takes as long to be found bad');
});

test('a ciphertext of the wrong length gets no alert before Finished either (RFC 5246, 7.4.7.1)', async (t) => {
  for (const version of [0x0300, 0x0301, 0x0303]) {
    for (const length of [0, 1, 48, LENGTH - 1, LENGTH + 1, 512]) {
      const server = new TestServer();
      const client = new TestClient({ version, suites: [0x2f] });
      server.receive(client.hello());
      client.receive(server.take());
      client.clientKeyExchange();
      const ciphertext = Buffer.alloc(length, 1);
      server.receive(client.send(16, version === 0x0300 ? ciphertext : vector16(ciphertext)));
      t.equal(server.outcome, undefined, `${length} bytes in ${version.toString(16)}`);
      const changeCipherSpec = client.changeCipherSpec();
      client.protectWrites();
      server.receive(Buffer.concat([changeCipherSpec, client.finished()]));
      t.equal(server.refusal, 'bad_record_mac');
    }
  }
});

test('an EncryptedPreMasterSecret has a length from TLS 1.0 on and may have none in SSLv3 (RFC 5246, 7.4.7.1)', async (t) => {
  const attempt = (version: number, withLength: boolean, tolerateKeyExchangeBugs: boolean): string => {
    const server = new TestServer({ tolerateKeyExchangeBugs });
    const client = new TestClient({ version, suites: [0x2f] });
    server.receive(client.hello());
    client.receive(server.take());
    const encrypted = client.clientKeyExchange().subarray(-LENGTH);
    const keyExchange = client.send(16, withLength ? vector16(encrypted) : encrypted);
    const changeCipherSpec = client.changeCipherSpec();
    client.protectWrites();
    server.receive(Buffer.concat([keyExchange, changeCipherSpec, client.finished()]));
    return server.refusal ?? server.connection.state;
  };
  t.equal(attempt(0x0301, true, false), 'established');
  t.equal(attempt(0x0301, false, false), 'malformed_message');
  t.equal(attempt(0x0303, false, false), 'malformed_message');
  t.equal(attempt(0x0301, false, true), 'established', 'unless old bugs are tolerated');
  for (const tolerant of [false, true]) {
    t.equal(attempt(0x0300, false, tolerant), 'established');
    t.equal(attempt(0x0300, true, tolerant), 'established');
  }
});

test('the substitute is drawn before the private key is asked, good block or bad', async (t) => {
  const drawn: string[] = [];
  const server = new TestServer({
    random: (length) => {
      drawn.push(`${length} bytes, ${server.operations.length} operations`);
      return randomBytes(length);
    },
  });
  const client = new TestClient({ suites: [0x2f] });
  server.receive(client.hello());
  client.receive(server.take());
  drawn.length = 0;
  server.receive(client.send(16, client.clientKeyExchange()));
  t.equal(drawn[0], '48 bytes, 0 operations');
  t.equal(server.operations.length, 1);
});
