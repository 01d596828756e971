/** What is chosen of what a hello offers, where two right-looking answers differ in what they cost or risk. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import {
  CIPHER_SUITES,
  DhGroup,
  NamedGroup,
  PRESETS,
  type ServerParameters,
} from '../../../src/tls/index.js';
import { record } from '../../support/reference-protection.js';
import {
  handshakeMessage,
  helloBody,
  TestClient,
  vector16,
  type HelloOptions,
} from '../../support/test-client.js';
import { SignatureScheme } from '../../../src/tls/code-points.js';
import { TestServer } from '../../support/test-server.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const groups = (list: string) => [10, vector16(hex(list))] as const;
const signatures = (list: string) => [13, vector16(hex(list))] as const;
const versions = (list: string) => [43, Buffer.concat([Buffer.of(list.length / 2), hex(list)])] as const;
const POINT_FORMATS = [11, hex('0100')] as const;

function answer(
  options: HelloOptions,
  parameters: Partial<ServerParameters> = {},
): { server: TestServer; client: TestClient } {
  const server = new TestServer(parameters);
  const client = new TestClient(options);
  server.receive(client.hello());
  if (server.outcome === undefined) client.receive(server.take());
  return { server, client };
}

const chosen = (options: HelloOptions): string | undefined =>
  answer(options).client.server?.suite.opensslName;

/** Suites by OpenSSL's names, in the client's order, which must not matter. */
const ids = (...names: string[]): number[] =>
  names.map((name) => CIPHER_SUITES.find(({ opensslName }) => opensslName === name)!.id).reverse();

/** Offers the first `n` of a list, then one less, and so on: each time the best of what is left must be chosen. */
function order(names: readonly string[], options: HelloOptions): string[] {
  return names.map((_, from) => chosen({ ...options, suites: ids(...names.slice(from)) }) ?? 'none');
}

const MODERN = { version: 0x0303, extensions: [groups('001d0017'), signatures('04030401')] };

test('a client of today gets forward secrecy and authenticated encryption first', async (t) => {
  const preference = [
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES128-SHA256',
    'ECDHE-RSA-AES256-SHA384',
    'ECDHE-RSA-AES128-SHA',
    'ECDHE-RSA-AES256-SHA',
    'DHE-RSA-AES128-GCM-SHA256',
    'DHE-RSA-AES256-SHA',
    'AES128-GCM-SHA256',
    'AES256-GCM-SHA384',
    'AES128-SHA256',
    'AES128-SHA',
    'AES256-SHA',
    'CAMELLIA128-SHA',
    'ECDHE-RSA-DES-CBC3-SHA',
    'DES-CBC3-SHA',
    'ECDHE-RSA-RC4-SHA',
    'RC4-SHA',
    'RC4-MD5',
  ];
  t.same(order(preference, MODERN), preference);
  const chachaFirst = ids('ECDHE-RSA-CHACHA20-POLY1305', 'ECDHE-RSA-AES128-GCM-SHA256').reverse();
  t.equal(
    chosen({ ...MODERN, suites: chachaFirst }),
    'ECDHE-RSA-CHACHA20-POLY1305',
    'who has no AES in hardware',
  );
});

test('an old record-format hello without extensions gets what it cannot fail with: plain RSA before curves and long primes', async (t) => {
  const preference = [
    'AES128-SHA',
    'AES256-SHA',
    'CAMELLIA128-SHA',
    'ECDHE-RSA-AES128-SHA',
    'DHE-RSA-AES128-SHA',
    'RC4-SHA',
    'RC4-MD5',
    'DES-CBC3-SHA',
    'DHE-RSA-DES-CBC3-SHA',
    'DES-CBC-SHA',
  ];
  t.same(order(preference, { version: 0x0301 }), preference);
});

test('an SSLv2-format hello that lists ECDHE gets it, with P-256, and signed with SHA-1 at TLS 1.2', async (t) => {
  const preference = [
    'ECDHE-RSA-AES128-SHA',
    'ECDHE-RSA-AES256-SHA',
    'AES128-SHA',
    'DHE-RSA-AES128-SHA',
    'RC4-SHA',
    'DES-CBC3-SHA',
  ];
  t.same(order(preference, { format: 'sslv2', version: 0x0301 }), preference);
  const { server, client } = answer({ format: 'sslv2', version: 0x0303, suites: [0x9c, 0xc02f] });
  server.receive(client.secondFlight());
  t.match(server.established, {
    suite: { opensslName: 'ECDHE-RSA-AES128-GCM-SHA256' },
    group: NamedGroup.secp256r1,
    signatureScheme: SignatureScheme.rsa_pkcs1_sha1,
  });
  t.equal(
    answer({ format: 'sslv2', version: 0x0303, suites: [0x9c, 0xc02f] }, { sha1Signatures: false }).client
      .server?.suite.opensslName,
    'AES128-GCM-SHA256',
    'plain RSA where nothing may be signed with SHA-1',
  );
});

test('TLS 1.0 puts RC4 above 3DES, TLS 1.1 below it, and single DES is always last', async (t) => {
  const older = ['RC4-SHA', 'RC4-MD5', 'DES-CBC3-SHA', 'DES-CBC-SHA'];
  t.same(order(older, { version: 0x0301 }), older);
  const newer = ['DES-CBC3-SHA', 'RC4-SHA', 'RC4-MD5', 'DES-CBC-SHA'];
  t.same(order(newer, { version: 0x0302 }), newer);
});

test('SSLv3 puts RC4 above every block cipher (POODLE)', async (t) => {
  const preference = [
    'RC4-SHA',
    'RC4-MD5',
    'AES128-SHA',
    'DHE-RSA-AES128-SHA',
    'DES-CBC3-SHA',
    'DES-CBC-SHA',
  ];
  for (const format of ['record', 'sslv2'] as const) {
    t.same(order(preference, { format, version: 0x0300 }), preference);
  }
});

test('TLS 1.0 with curves gets them, and DHE above RSA once it names a long group (RFC 7919, 4)', async (t) => {
  const preference = ['ECDHE-RSA-AES128-SHA', 'DHE-RSA-AES128-SHA', 'AES128-SHA'];
  t.same(order(preference, { version: 0x0301, extensions: [groups('00170100')] }), preference);
  const silent = ['ECDHE-RSA-AES128-SHA', 'AES128-SHA', 'DHE-RSA-AES128-SHA'];
  t.same(order(silent, { version: 0x0301, extensions: [groups('0017')] }), silent);
});

test('a client with ECDHE suites that lists no curves gets P-256, which all such clients support (RFC 8422, 4)', async (t) => {
  for (const [version, suite] of [
    [0x0301, 0xc013],
    [0x0303, 0xc02f],
  ] as const) {
    const { server, client } = answer({ version, suites: [suite] });
    server.receive(client.secondFlight());
    t.equal(server.established?.group, NamedGroup.secp256r1);
  }
});

test('a group for DHE among those of the host is none for ECDHE', async (t) => {
  const parameters = { groups: [NamedGroup.ffdhe2048, NamedGroup.x25519] };
  const extensions = [groups('0100001d'), signatures('0401')];
  const { server, client } = answer({ version: 0x0303, suites: [0xc02f], extensions }, parameters);
  server.receive(client.secondFlight());
  t.equal(server.established?.group, NamedGroup.x25519);
});

test('the 1024-bit group is for clients that cannot signal support for a longer one, where there is one (Logjam)', async (t) => {
  const prime = readFileSync(new URL('../../support/dh1024.hex', import.meta.url), 'latin1').trim();
  const smallDhGroup = new DhGroup(hex(prime));
  const bits = (options: HelloOptions, group: DhGroup | undefined): number | undefined => {
    const { server, client } = answer({ suites: [0x33], ...options }, { smallDhGroup: group });
    server.receive(client.secondFlight());
    return server.established?.dhBits;
  };
  t.equal(bits({ version: 0x0301 }, smallDhGroup), 1024);
  t.equal(bits({ format: 'sslv2', version: 0x0303 }, smallDhGroup), 1024);
  t.equal(bits({ version: 0x0301 }, undefined), 2048, 'there is one in profile ancient only');
  t.equal(bits({ version: 0x0303, extensions: [signatures('0401')] }, smallDhGroup), 2048);
  t.equal(bits({ version: 0x0301, extensions: [groups('0100')] }, smallDhGroup), 2048);
});

test('the fallback signal is held against the best the service has, not the engine (RFC 7507, 3)', async (t) => {
  const refusal = (options: HelloOptions, parameters: Partial<ServerParameters>): string | undefined =>
    answer({ ...options, suites: [0x2f, 0x5600] }, parameters).server.refusal;
  const engineEndsAt10 = { maxVersion: 0x0301, serviceMaxVersion: 0x0303 } as const;
  t.equal(refusal({ version: 0x0301 }, engineEndsAt10), 'inappropriate_fallback');
  t.equal(refusal({ version: 0x0303 }, engineEndsAt10), undefined);
  t.equal(refusal({ version: 0x0303 }, { serviceMaxVersion: 0x0303 }), undefined);
  t.equal(refusal({ version: 0x0303 }, { serviceMaxVersion: 0x0304 }), 'inappropriate_fallback');
  const tls13 = { version: 0x0303, extensions: [versions('03040303')] };
  t.equal(refusal(tls13, { serviceMaxVersion: 0x0304 }), undefined, 'TLS 1.3 is offered elsewhere');
  t.equal(refusal({ version: 0x0304 }, { serviceMaxVersion: 0x0304 }), undefined);
});

test('the best version that both have is chosen, also for hellos of versions that do not exist (RFC 5246, E.1)', async (t) => {
  const version = (options: HelloOptions, parameters: Partial<ServerParameters> = {}): number | undefined =>
    answer(options, parameters).client.server?.version;
  for (const one of [0x0300, 0x0301, 0x0302, 0x0303]) t.equal(version({ version: one }), one);
  for (const one of [0x0304, 0x0305, 0x03ff, 0x0400, 0x7f00]) t.equal(version({ version: one }), 0x0303);
  t.equal(version({ format: 'sslv2', version: 0x0304 }), 0x0303);
  t.equal(version({ version: 0x0303 }, { maxVersion: 0x0301 }), 0x0301);
  const listed = { version: 0x0303, extensions: [versions('03040301')] };
  t.equal(version(listed), 0x0301, 'supported_versions says what is meant (RFC 8446, 4.2.1)');
  t.equal(answer({ version: 0x0200 }).server.refusal, 'no_shared_version');
});

test('a record of another major version is refused wherever it comes', async (t) => {
  const message = handshakeMessage(1, helloBody({}));
  const later = new TestServer();
  later.receive(
    Buffer.concat([record(22, 0x0301, message.subarray(0, 9)), record(22, 0x0401, message.subarray(9))]),
  );
  t.equal(later.refusal, 'wrong_record_version');
  const { server } = answer({});
  server.receive(record(21, 0x0201, Buffer.of(2, 40)));
  t.equal(server.refusal, 'wrong_record_version', 'an alert too');
});

test('ec_point_formats is answered where it was offered and matters (RFC 8422, 5.2)', async (t) => {
  const echoed = (
    suite: number,
    ...extensions: NonNullable<HelloOptions['extensions']>
  ): Buffer | undefined =>
    answer({
      version: 0x0301,
      suites: [suite],
      extensions: [groups('0017'), ...extensions],
    }).client.server!.extensions.get(11);
  t.same(echoed(0xc013, POINT_FORMATS), hex('0100'));
  t.equal(echoed(0xc013), undefined, 'not offered');
  t.equal(echoed(0x2f, POINT_FORMATS), undefined, 'no curve in it');
});

test('an SSLv3 hello may carry extensions of any content (RFC 5746, 3.3)', async (t) => {
  const broken = { version: 0x0300, suites: [0x05], extensions: [[0, hex('ffff')] as const] };
  const { server, client } = answer(broken);
  server.receive(client.secondFlight());
  t.equal(server.established?.version, 0x0300);
  t.equal(answer({ ...broken, version: 0x0301 }).server.refusal, 'malformed_message');
});

test('a name that is no host_name is ignored, and a host_name may have 255 bytes (RFC 6066, 3; RFC 1035, 2.3.4)', async (t) => {
  const named = (list: Buffer): string | undefined => {
    const { server, client } = answer({ version: 0x0303, extensions: [[0, vector16(list)]] });
    server.receive(client.secondFlight());
    t.equal(server.refusal, undefined);
    return server.established?.serverName;
  };
  const name = (type: number, text: string): Buffer =>
    Buffer.concat([Buffer.of(type), vector16(Buffer.from(text))]);
  t.equal(named(name(1, 'a.example')), undefined);
  t.equal(named(Buffer.concat([name(7, 'b'), name(0, 'A.Example')])), 'a.example');
  t.equal(named(name(0, 'a'.repeat(255))), 'a'.repeat(255));
});

test('unknown extensions are ignored, those of other protocols too (RFC 5246, 7.4.1.4)', async (t) => {
  const extensions = [
    [0x0a0a, Buffer.alloc(0)],
    [15, Buffer.of(1)],
    [16, hex('000908687474702f312e31')],
    [5, hex('0100000000')],
    [51, hex('00020000')],
    [0xffff, Buffer.alloc(100, 1)],
  ] as const;
  const { client } = answer({ version: 0x0303, extensions });
  t.equal(client.server?.extensions.size, 0, 'and none is answered');
});

test('each preset negotiates what its name promises', async (t) => {
  const everything = { suites: CIPHER_SUITES.map(({ id }) => id) };
  const negotiated = (options: HelloOptions, preset: keyof typeof PRESETS): string | undefined => {
    const { server, client } = answer({ ...everything, ...options }, PRESETS[preset]);
    return server.refusal ?? client.server?.suite.opensslName;
  };
  const { version, extensions } = MODERN;
  t.match(negotiated({ version, extensions }, 'intermediate'), /^ECDHE-.*GCM/);
  t.equal(negotiated({ version: 0x0302, extensions }, 'intermediate'), 'no_shared_version');
  t.equal(
    negotiated({ version, suites: [0x9c, 0x2f], extensions }, 'intermediate'),
    'no_shared_cipher_suite',
  );
  t.equal(negotiated({ format: 'sslv2', version }, 'intermediate'), 'sslv2_hello_not_allowed');
  t.equal(negotiated({ format: 'sslv2', version: 0x0301 }, 'legacy'), 'ECDHE-ECDSA-AES128-SHA');
  t.equal(negotiated({ version: 0x0301 }, 'legacy'), 'AES128-SHA');
  t.equal(negotiated({ version: 0x0300 }, 'legacy'), 'no_shared_version');
  t.equal(negotiated({ version: 0x0301, suites: [0x09] }, 'legacy'), 'no_shared_cipher_suite');
  t.equal(negotiated({ version: 0x0301, suites: [0x04] }, 'legacy'), 'RC4-MD5');
  t.equal(negotiated({ format: 'sslv2', version: 0x0300 }, 'ancient'), 'RC4-SHA');
  t.equal(negotiated({ version: 0x0301, suites: [0x09] }, 'ancient'), 'no_shared_cipher_suite');
});

test('intermediate has nothing but forward secrecy with authenticated encryption, and no preset trusts 64-bit blocks for long', async (t) => {
  for (const { keyExchange, bulk } of PRESETS.intermediate.cipherSuites) {
    t.same([keyExchange, bulk.kind], ['ecdhe', 'aead']);
  }
  for (const { smallBlockLimit } of Object.values(PRESETS)) {
    t.ok(smallBlockLimit <= 2 ** 30, '2^27 blocks, at which two equal ones have a chance of 2^-11 (SWEET32)');
  }
});
