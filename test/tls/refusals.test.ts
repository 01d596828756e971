/** Every reason the engine has to refuse a client, provoked; and the alert that the client sees for it. */
import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import { AlertDescription, REFUSALS, type AlertName, type RefusalReason } from '../../src/tls/alert.js';
import { Acceptor, PRESETS, type ServerParameters } from '../../src/tls/index.js';
import { knownAlert } from '../../src/tls/handshake/version-rules.js';
import { record } from '../support/reference-protection.js';
import {
  handshakeMessage,
  helloBody,
  TestClient,
  vector16,
  type HelloOptions,
} from '../support/test-client.js';
import { ECDSA, RSA, TestServer } from '../support/test-server.js';

type Provocation = readonly [title: string, provoke: (start: Start) => TestServer];
/** A server that has answered the hello, and the client that sent it. */
type Start = (
  options?: HelloOptions,
  parameters?: Partial<ServerParameters>,
) => { server: TestServer; client: TestClient };

const start: Start = (options = {}, parameters = {}) => {
  const server = new TestServer(parameters);
  const client = new TestClient(options);
  server.receive(client.hello());
  if (server.outcome === undefined) client.receive(server.take());
  return { server, client };
};

function establish(
  options: HelloOptions = {},
  parameters: Partial<ServerParameters> = {},
): ReturnType<Start> {
  const { server, client } = start(options, parameters);
  server.receive(client.secondFlight());
  client.receive(server.take());
  if (server.established === undefined) throw new Error(server.refusal);
  return { server, client };
}

const refusedHello =
  (options: HelloOptions, parameters: Partial<ServerParameters> = {}) =>
  (): TestServer =>
    start(options, parameters).server;

/** A server that gets these bytes first. */
const refusedBytes =
  (...chunks: Buffer[]) =>
  (): TestServer => {
    const server = new TestServer();
    for (const chunk of chunks) server.receive(chunk);
    return server;
  };

const afterHello =
  (bytes: (client: TestClient) => Buffer, options: HelloOptions = {}) =>
  (): TestServer => {
    const { server, client } = start(options);
    server.receive(bytes(client));
    return server;
  };

const afterHandshake =
  (bytes: (client: TestClient) => Buffer, options: HelloOptions = {}) =>
  (): TestServer => {
    const { server, client } = establish(options);
    server.receive(bytes(client));
    return server;
  };

/** A handshake message cut into records of `size` bytes each. */
function inRecords(message: Buffer, size: number, version = 0x0301): Buffer[] {
  return Array.from({ length: Math.ceil(message.length / size) }, (_, index) =>
    record(22, version, message.subarray(index * size, (index + 1) * size)),
  );
}

/** A hello whose cipher_suites have three bytes. */
function oddSuites(): Buffer {
  const body = helloBody({ suites: [0x2f] });
  return Buffer.concat([body.subarray(0, 35), Buffer.from('0003002f00', 'hex'), body.subarray(39)]);
}

const extension = (type: number, hex: string): HelloOptions => ({
  version: 0x0303,
  extensions: [[type, Buffer.from(hex, 'hex')]],
});

const PROVOCATIONS: Record<RefusalReason, readonly Provocation[]> = {
  malformed_message: [
    [
      'a hello cut short',
      refusedBytes(record(22, 0x0301, handshakeMessage(1, helloBody({}).subarray(0, -1)))),
    ],
    [
      'a hello with bytes behind it',
      refusedBytes(record(22, 0x0301, handshakeMessage(1, Buffer.concat([helloBody({}), Buffer.of(0)])))),
    ],
    ['no suites', refusedHello({ suites: [] })],
    ['no compression methods', refusedHello({ compression: [] })],
    ['a session id of 33 bytes', refusedHello({ sessionId: Buffer.alloc(33) })],
    [
      'an extension twice',
      refusedHello({
        extensions: [
          [23, Buffer.alloc(0)],
          [23, Buffer.alloc(0)],
        ],
      }),
    ],
    ['an empty list of names', refusedHello(extension(0, '0000'))],
    ['an empty host name', refusedHello(extension(0, '0003000000'))],
    ['an empty list of versions', refusedHello(extension(43, '00'))],
    ['an odd list of versions', refusedHello(extension(43, '03030301'))],
    ['an odd list of suites', refusedBytes(record(22, 0x0301, handshakeMessage(1, oddSuites())))],
    ['server_name with bytes behind it', refusedHello(extension(0, '0004000001610000'))],
    ['an empty list of groups', refusedHello(extension(10, '0000'))],
    ['an odd list of groups', refusedHello(extension(10, '0003001d00'))],
    ['extended_master_secret with a body', refusedHello(extension(23, '00'))],
    ['an empty list of point formats', refusedHello(extension(11, '00'))],
    ['a ClientKeyExchange of the wrong length', afterHello((client) => client.send(16, Buffer.alloc(50)))],
    [
      'an empty EC point',
      afterHello((client) => client.send(16, Buffer.of(0)), { version: 0x0301, suites: [0xc013] }),
    ],
    ['an empty dh_Yc', afterHello((client) => client.send(16, Buffer.alloc(2)), { suites: [0x33] })],
    [
      'a Finished of the wrong length',
      () => {
        const { server, client } = start();
        const keyExchange = client.send(16, client.clientKeyExchange());
        const changeCipherSpec = client.changeCipherSpec();
        client.protectWrites();
        server.receive(Buffer.concat([keyExchange, changeCipherSpec, client.send(20, Buffer.alloc(11))]));
        return server;
      },
    ],
    [
      'a ClientKeyExchange longer than any key, from its header alone',
      afterHello(() => record(22, 0x0301, Buffer.of(16, 0, 8, 3))),
    ],
    [
      'a Finished of 65 bytes, from its header alone',
      afterHello((client) => {
        const keyExchange = client.send(16, client.clientKeyExchange());
        const changeCipherSpec = client.changeCipherSpec();
        client.protectWrites();
        return Buffer.concat([keyExchange, changeCipherSpec, client.seal(22, Buffer.of(20, 0, 0, 65))]);
      }),
    ],
  ],
  malformed_sslv2_hello: [
    [
      'cipher_spec_length not a multiple of 3',
      refusedBytes(Buffer.from('801d01030100040000001000002f000102030405060708090a0b0c0d0e0f10', 'hex')),
    ],
    [
      'no cipher specs',
      refusedBytes(Buffer.from('801c01030100000000001300002f0102030405060708090a0b0c0d0e0f10', 'hex')),
    ],
    [
      'lengths that do not add up',
      refusedBytes(Buffer.from('801c01030100030000001100002f0102030405060708090a0b0c0d0e0f10', 'hex')),
    ],
    ['a session id of 33 bytes', refusedHello({ format: 'sslv2', sessionId: Buffer.alloc(33) })],
    ['too short for any hello', refusedBytes(Buffer.from('800b010301', 'hex'))],
    ['too long for any hello', refusedBytes(Buffer.from('9001010301', 'hex'))],
  ],
  short_challenge: [
    ...[0, 15].map((length): Provocation => [
      `one suite and a challenge of ${length} bytes`,
      refusedHello({ format: 'sslv2', challenge: Buffer.alloc(length) }),
    ]),
    [
      'a challenge of 15 bytes',
      refusedHello({ format: 'sslv2', suites: [0x2f, 0x05], challenge: Buffer.alloc(15) }),
    ],
  ],
  not_tls: [
    ['a record of version 2.0', refusedBytes(Buffer.from('1602000005', 'hex'))],
    ['an SSLv2-format hello for version 4.0', refusedBytes(Buffer.from('802e010400', 'hex'))],
  ],
  no_shared_version: [
    ['too old', refusedHello({ version: 0x0301 }, { minVersion: 0x0302 })],
    ['SSL 3.0 where it is off', refusedHello({ format: 'sslv2', version: 0x0300 }, PRESETS.legacy)],
    ['only TLS 1.3', refusedHello({ version: 0x0303, extensions: [[43, Buffer.from('020304', 'hex')]] })],
  ],
  sslv2_hello_not_allowed: [
    ['an SSLv2-format hello where it is off', refusedHello({ format: 'sslv2' }, { sslv2Hello: false })],
  ],
  no_shared_cipher_suite: [
    ['only EXPORT and NULL', refusedHello({ suites: [0x03, 0x01, 0x17, 0x18, 0x1b] })],
    ['only SSL 2.0 kinds', refusedHello({ format: 'sslv2', suites: [0x010080, 0x0700c0] })],
    ['only signalling values', refusedHello({ suites: [0xff] })],
    ['a suite of TLS 1.2 at TLS 1.1', refusedHello({ version: 0x0302, suites: [0x9c, 0x3c] })],
    ['single DES at TLS 1.2 (RFC 5469)', refusedHello({ version: 0x0303, suites: [0x09, 0x15] })],
    ['an EC suite in SSL 3.0', refusedHello({ version: 0x0300, suites: [0xc013] })],
    ['only RSA suites with an ECDSA certificate', refusedHello({}, { credentials: [ECDSA.credential] })],
    [
      'ECDHE without a common group',
      refusedHello({
        version: 0x0303,
        suites: [0xc02f],
        extensions: [
          [10, Buffer.from('00020019', 'hex')],
          [13, Buffer.from('00020401', 'hex')],
        ],
      }),
    ],
  ],
  no_shared_dh_group: [
    [
      'DHE with other finite-field groups only (RFC 7919, 4)',
      refusedHello({ version: 0x0303, suites: [0x33], extensions: [[10, Buffer.from('00020101', 'hex')]] }),
    ],
    [
      'the same beside ECDHE for which there is no signature',
      refusedHello({
        version: 0x0303,
        suites: [0xc02f, 0x33],
        extensions: [
          [10, Buffer.from('000400170101', 'hex')],
          [13, Buffer.from('00020804', 'hex')],
        ],
      }),
    ],
    [
      'the same beside suites that are not allowed',
      refusedHello({
        version: 0x0303,
        suites: [0x02, 0x33],
        extensions: [[10, Buffer.from('000201ff', 'hex')]],
      }),
    ],
  ],
  no_shared_signature_algorithm: [
    [
      'only RSA-PSS and EdDSA',
      refusedHello({
        version: 0x0303,
        suites: [0xc02f],
        extensions: [[13, Buffer.from('000408040807', 'hex')]],
      }),
    ],
    [
      'only MD5 (SLOTH)',
      refusedHello({ version: 0x0303, suites: [0xc02f], extensions: [[13, Buffer.from('00020101', 'hex')]] }),
    ],
  ],
  no_null_compression: [['only DEFLATE', refusedHello({ compression: [1] })]],
  inappropriate_fallback: [
    [
      'a fallback below what both have (RFC 7507, 3)',
      refusedHello({ version: 0x0301, suites: [0x2f, 0x5600] }),
    ],
    ['the same in SSLv2 format', refusedHello({ format: 'sslv2', version: 0x0300, suites: [0x2f, 0x5600] })],
  ],
  bad_renegotiation_info: [
    ['renegotiation_info that is not empty (RFC 5746, 3.6)', refusedHello(extension(0xff01, '0100'))],
    ['the same in SSL 3.0 (RFC 5746, 4.5)', refusedHello({ ...extension(0xff01, '0100'), version: 0x0300 })],
  ],
  renegotiation: [
    ['a second ClientHello', afterHandshake((client) => client.send(1, helloBody({})))],
    [
      'the same in SSL 3.0',
      afterHandshake((client) => client.send(1, helloBody({ version: 0x0300 })), { version: 0x0300 }),
    ],
  ],
  bad_extension: [
    ['max_fragment_length 5 (RFC 6066, 4)', refusedHello(extension(1, '05'))],
    ['point formats without the uncompressed one (RFC 8422, 5.1.2)', refusedHello(extension(11, '0101'))],
    ['a host name with a zero', refusedHello(extension(0, '000600000361' + '0062'))],
    ['a host name with a space', refusedHello(extension(0, '000600000361' + '2062'))],
    ['a host name with DEL', refusedHello(extension(0, '000600000361' + '7f62'))],
    ['a host name with a control character', refusedHello(extension(0, '000600000361' + '1b62'))],
    ['a host name that is not ASCII', refusedHello(extension(0, '000600000361' + 'c3a4'))],
    ['a host name of 256 bytes', refusedHello(extension(0, '0103' + '000100' + '61'.repeat(256)))],
    ['two host names', refusedHello(extension(0, '0008000001610000016200'.slice(0, 20)))],
  ],
  extended_master_secret_missing: [
    [
      'a resumption without it (RFC 7627, 5.3)',
      () => {
        const first = new TestServer();
        const client = new TestClient({ extensions: [[23, Buffer.alloc(0)]] });
        first.receive(client.hello());
        client.receive(first.take());
        first.receive(client.secondFlight());
        const second = new TestServer({}, first.sessions);
        second.receive(new TestClient({ sessionId: client.server!.sessionId }).hello());
        return second;
      },
    ],
  ],
  bad_key_share: [
    ...['00', '01', 'p-1', 'p', 'longer'].map((value): Provocation => [
      `dh_Yc ${value}`,
      () => {
        const { server, client } = start({ suites: [0x33] });
        client.clientKeyExchange();
        const prime = Buffer.from(
          'ffffffffffffffffadf85458a2bb4a9aafdc5620273d3cf1d8b9c583ce2d3695a9e13641146433fbcc939dce249b3ef97d2fe363630c75d8f681b202aec4617ad3df1ed5d5fd65612433f51f5f066ed0856365553ded1af3b557135e7f57c935984f0c70e0e68b77e2a689daf3efe8721df158a136ade73530acca4f483a797abc0ab182b324fb61d108a94bb2c8e3fbb96adab760d7f4681d4f42a3de394df4ae56ede76372bb190b07a7c8ee0a6d709e02fce1cdf7e2ecc03404cd28342f619172fe9ce98583ff8e4f1232eef28183c3fe3b1b4c6fad733bb5fcbc2ec22005c58ef1837d1683b2c6f34a26c1b2effa886b423861285c97ffffffffffffffff',
          'hex',
        );
        const share = {
          '00': Buffer.of(0),
          '01': Buffer.of(1),
          'p-1': Buffer.from(prime),
          p: prime,
          longer: Buffer.concat([Buffer.of(1), prime]),
        }[value]!;
        if (value === 'p-1') share[255] = 0xfe;
        server.receive(client.send(16, vector16(share)));
        return server;
      },
    ]),
    ...(['compressed', 'off the curve', 'infinity'] as const).map((kind): Provocation => [
      `an EC point that is ${kind}`,
      () => {
        const { server, client } = start({
          version: 0x0301,
          suites: [0xc013],
          extensions: [[10, Buffer.from('00020017', 'hex')]],
        });
        const body = client.clientKeyExchange();
        const point = body.subarray(1);
        const bad = {
          compressed: Buffer.concat([Buffer.of(2 + (point[64]! & 1)), point.subarray(1, 33)]),
          'off the curve': Buffer.concat([point.subarray(0, 64), Buffer.of(point[64]! ^ 1)]),
          infinity: Buffer.of(0),
        }[kind];
        server.receive(client.send(16, Buffer.concat([Buffer.of(bad.length), bad])));
        return server;
      },
    ]),
    [
      'an X25519 share of small order',
      () => {
        const { server, client } = start({
          version: 0x0303,
          suites: [0xc02f],
          extensions: [
            [10, Buffer.from('0002001d', 'hex')],
            [13, Buffer.from('00020401', 'hex')],
          ],
        });
        server.receive(client.send(16, Buffer.concat([Buffer.of(32), Buffer.alloc(32)])));
        return server;
      },
    ],
  ],
  unexpected_message: [
    ['a Finished first', refusedBytes(record(22, 0x0301, handshakeMessage(20, Buffer.alloc(12))))],
    [
      'a message behind ClientHello in its record, which cannot be meant for this handshake',
      () =>
        refusedBytes(
          record(22, 0x0301, Buffer.concat([handshakeMessage(1, helloBody({})), Buffer.of(16)])),
        )(),
    ],
    ['a second ClientHello in the handshake', afterHello((client) => client.send(1, helloBody({})))],
    ['a HelloRequest from a client', afterHello((client) => client.send(0, Buffer.alloc(0)))],
    [
      'a client Certificate that nobody asked for',
      afterHello((client) => client.send(11, Buffer.from('000000', 'hex'))),
    ],
    [
      'no_certificate in SSL 3.0',
      afterHello((client) => client.seal(21, Buffer.of(1, 41)), { version: 0x0300 }),
    ],
    [
      'Finished behind ClientKeyExchange, without ChangeCipherSpec',
      afterHello((client) => Buffer.concat([client.send(16, client.clientKeyExchange()), client.finished()])),
    ],
    [
      'a ClientKeyExchange after the handshake',
      afterHandshake((client) => client.send(16, Buffer.alloc(10))),
    ],
    ['a message type that does not exist', afterHello((client) => client.send(99, Buffer.alloc(3)))],
    [
      'the wrong message, from its header alone',
      afterHello(() => record(22, 0x0301, Buffer.of(11, 0, 1, 0))),
    ],
  ],
  unexpected_record: [
    ['application data in the handshake', afterHello((client) => client.seal(23, Buffer.from('x')))],
    ['application data first of all', refusedBytes(record(23, 0x0301, Buffer.from('x')))],
    ['a warning before ClientHello', refusedBytes(record(21, 0x0301, Buffer.of(1, 90)))],
    ['a heartbeat first of all', refusedBytes(record(24, 0x0301, Buffer.from('014000', 'hex')))],
    ['an unknown content type first of all', refusedBytes(record(99, 0x0301, Buffer.from('x')))],
    ['an unknown content type', afterHello(() => record(24, 0x0301, Buffer.from('010001', 'hex')))],
    [
      'an SSLv2-format hello behind a record-format one',
      afterHello(() => new TestClient({ format: 'sslv2' }).hello()),
    ],
    [
      'an SSLv2-format hello behind itself',
      afterHello(() => new TestClient({ format: 'sslv2' }).hello(), { format: 'sslv2' }),
    ],
  ],
  interleaved_record: [
    [
      'an alert between two fragments of a message',
      afterHello(() =>
        Buffer.concat([record(22, 0x0301, Buffer.of(16, 0)), record(21, 0x0301, Buffer.of(1, 90))]),
      ),
    ],
    [
      'ChangeCipherSpec between two fragments of a message',
      afterHello(() =>
        Buffer.concat([record(22, 0x0301, Buffer.of(16, 0)), record(20, 0x0301, Buffer.of(1))]),
      ),
    ],
    [
      'ChangeCipherSpec behind a ClientKeyExchange with a beginning of something behind it',
      afterHello((client) => {
        const message = handshakeMessage(16, client.clientKeyExchange());
        return Buffer.concat([
          record(22, 0x0301, Buffer.concat([message, Buffer.of(20)])),
          record(20, 0x0301, Buffer.of(1)),
        ]);
      }),
    ],
  ],
  early_change_cipher_spec: [
    ['before ClientHello', refusedBytes(record(20, 0x0301, Buffer.of(1)))],
    ['before ClientKeyExchange (CVE-2014-0224)', afterHello(() => record(20, 0x0301, Buffer.of(1)))],
    [
      'twice',
      afterHello((client) => {
        const keyExchange = client.send(16, client.clientKeyExchange());
        const first = client.changeCipherSpec();
        client.protectWrites();
        return Buffer.concat([keyExchange, first, client.changeCipherSpec()]);
      }),
    ],
    ['after the handshake', afterHandshake((client) => client.changeCipherSpec())],
  ],
  malformed_change_cipher_spec: [
    [
      'another value',
      afterHello((client) =>
        Buffer.concat([client.send(16, client.clientKeyExchange()), record(20, 0x0301, Buffer.of(2))]),
      ),
    ],
    [
      'two bytes',
      afterHello((client) =>
        Buffer.concat([client.send(16, client.clientKeyExchange()), record(20, 0x0301, Buffer.of(1, 1))]),
      ),
    ],
  ],
  malformed_alert: [
    ['one byte', afterHello(() => record(21, 0x0301, Buffer.of(1)))],
    ['two in one record', afterHello(() => record(21, 0x0301, Buffer.of(1, 90, 1, 90)))],
  ],
  unknown_alert_level: [['level 3', afterHello(() => record(21, 0x0301, Buffer.of(3, 90)))]],
  empty_record: [
    ['an empty handshake record', afterHello(() => record(22, 0x0301, Buffer.alloc(0)))],
    ['an empty alert', afterHello(() => record(21, 0x0301, Buffer.alloc(0)))],
    [
      '33 empty records of application data',
      afterHandshake((client) =>
        Buffer.concat(Array.from({ length: 33 }, () => client.seal(23, Buffer.alloc(0)))),
      ),
    ],
  ],
  too_many_warnings: [
    [
      'five in a row',
      afterHandshake((client) =>
        Buffer.concat(Array.from({ length: 5 }, () => client.seal(21, Buffer.of(1, 90)))),
      ),
    ],
  ],
  message_too_long: [
    [
      'a hello of 16 MiB, from its header alone',
      refusedBytes(record(22, 0x0301, Buffer.of(1, 0xff, 0xff, 0xff))),
    ],
  ],
  too_many_fragments: [
    [
      'a hello in 4097 records',
      refusedBytes(
        Buffer.concat(inRecords(handshakeMessage(1, helloBody({ suites: Array(2100).fill(0x2f) })), 1)),
      ),
    ],
  ],
  record_overflow: [
    ['a header that says more than any record has', refusedBytes(Buffer.from('160301ffff', 'hex'))],
    [
      '2^14 + 1 bytes under encryption',
      () => {
        const { server, client } = establish({}, { largeRecords: false });
        server.receive(client.seal(23, Buffer.alloc(2 ** 14 + 1)));
        return server;
      },
    ],
    [
      '2^14 + 1 bytes in clear, from the header alone',
      () => {
        const server = new TestServer({ largeRecords: false });
        server.receive(Buffer.from('1603014001', 'hex'));
        return server;
      },
    ],
    [
      'more in clear than the max_fragment_length agreed on (RFC 6066, 4)',
      afterHello(() => record(22, 0x0303, Buffer.alloc(513, 16)), extension(1, '01')),
    ],
    [
      'more under encryption than the max_fragment_length agreed on',
      afterHandshake((client) => client.seal(23, Buffer.alloc(513)), extension(1, '01')),
    ],
    [
      'a record that cannot hold so little, before it is decrypted',
      afterHandshake(() => record(23, 0x0303, Buffer.alloc(512 + 321)), extension(1, '01')),
    ],
  ],
  wrong_record_version: [
    [
      'another version after ServerHello',
      afterHello((client) => record(22, 0x0302, handshakeMessage(16, client.clientKeyExchange()))),
    ],
    [
      'another version after the handshake',
      afterHandshake((client) => {
        const bytes = client.seal(23, Buffer.from('x'));
        bytes[2] = 0;
        return bytes;
      }),
    ],
    [
      'an alert of another version after the handshake, which SSL 3.0 does not authenticate',
      afterHandshake(
        (client) => {
          const bytes = client.seal(21, Buffer.of(1, 0));
          bytes[2] = 1;
          return bytes;
        },
        { version: 0x0300 },
      ),
    ],
  ],
  bad_record_mac: [
    [
      'a bit flipped in application data',
      afterHandshake((client) => {
        const bytes = client.seal(23, Buffer.from('x'));
        bytes[bytes.length - 1]! ^= 1;
        return bytes;
      }),
    ],
    [
      'a premaster secret of the wrong form, which shows only here',
      afterHello((client) => {
        client.clientKeyExchange();
        const keyExchange = client.send(16, vector16(randomBytes(256).fill(0, 0, 1)));
        const changeCipherSpec = client.changeCipherSpec();
        client.protectWrites();
        return Buffer.concat([keyExchange, changeCipherSpec, client.finished()]);
      }),
    ],
    [
      'a record sent twice',
      afterHandshake((client) => {
        const bytes = client.seal(23, Buffer.from('x'));
        return Buffer.concat([bytes, bytes]);
      }),
    ],
  ],
  bad_finished: [
    [
      'a Finished over something else',
      () => {
        const { server, client } = start();
        const keyExchange = client.send(16, client.clientKeyExchange());
        const changeCipherSpec = client.changeCipherSpec();
        client.protectWrites();
        server.receive(Buffer.concat([keyExchange, changeCipherSpec, client.send(20, Buffer.alloc(12))]));
        return server;
      },
    ],
  ],
  internal_error: [
    [
      'a private key that fails',
      () => {
        const server = new TestServer();
        server.hold = true;
        const client = new TestClient();
        server.receive(client.hello());
        client.receive(server.take());
        server.receive(client.send(16, client.clientKeyExchange()));
        server.connection.complete(new Error('the token is gone'));
        return server;
      },
    ],
    [
      'a host that keeps feeding a connection which waits for it',
      () => {
        const server = new TestServer();
        server.hold = true;
        const client = new TestClient();
        server.receive(client.hello());
        client.receive(server.take());
        server.receive(client.send(16, client.clientKeyExchange()));
        for (let fed = 0; fed < 3; fed += 1) server.receive(Buffer.alloc(64 * 1024));
        return server;
      },
    ],
  ],
};

test('each reason to refuse is met, with the alert that its row names', async (t) => {
  for (const [reason, provocations] of Object.entries(PROVOCATIONS) as [
    RefusalReason,
    readonly Provocation[],
  ][]) {
    for (const [title, provoke] of provocations) {
      const { outcome } = provoke(start);
      const error = outcome?.kind === 'refused' ? outcome.error : undefined;
      t.match(error, { reason, alert: REFUSALS[reason].alert }, `${reason}: ${title}`);
    }
  }
});

/** What the specifications say; RFC 5246, 7.2.2 where nothing else is said. */
const ALERTS: Partial<Record<AlertName, readonly RefusalReason[]>> = {
  unexpected_message: [
    'unexpected_message',
    'unexpected_record', // RFC 5246, 6
    'interleaved_record',
    'early_change_cipher_spec',
    'empty_record', // RFC 5246, 6.2.1
    'too_many_warnings',
    'too_many_fragments',
  ],
  no_renegotiation: ['renegotiation'],
  bad_record_mac: ['bad_record_mac'],
  record_overflow: ['record_overflow'],
  handshake_failure: [
    'no_shared_cipher_suite', // RFC 5246, 7.4.1.3
    'no_shared_signature_algorithm',
    'bad_renegotiation_info', // RFC 5746, 3.6
    'extended_master_secret_missing', // RFC 7627, 5.3
  ],
  illegal_parameter: [
    'short_challenge',
    'no_null_compression',
    'bad_extension', // RFC 6066, 4; RFC 8422, 5.1.2
    'bad_key_share', // RFC 7919, 4; RFC 8422, 5.11
    'malformed_change_cipher_spec',
    'unknown_alert_level',
    'message_too_long',
  ],
  decode_error: ['malformed_message', 'malformed_sslv2_hello', 'malformed_alert'],
  decrypt_error: ['bad_finished'],
  protocol_version: ['not_tls', 'no_shared_version', 'sslv2_hello_not_allowed', 'wrong_record_version'],
  insufficient_security: ['no_shared_dh_group'], // RFC 7919, 4
  internal_error: ['internal_error'],
  inappropriate_fallback: ['inappropriate_fallback'], // RFC 7507, 3
};

test('each reason has the alert that the specifications name', async (t) => {
  t.same(
    Object.entries(REFUSALS)
      .map(([reason, { alert }]) => `${reason}: ${alert}`)
      .sort(),
    Object.entries(ALERTS)
      .flatMap(([alert, reasons]) => reasons.map((reason) => `${reason}: ${alert}`))
      .sort(),
  );
});

test('a connection of SSL 3.0 gets only alerts that SSL 3.0 has, and RFC 7507 has given it one more (RFC 6101, 5.4.2)', async (t) => {
  const known = [0, 10, 20, 30, 40, 41, 42, 43, 44, 45, 46, 47, AlertDescription.inappropriate_fallback];
  for (const { alert } of Object.values(REFUSALS)) {
    t.ok(known.includes(AlertDescription[knownAlert(alert, 0x0300)]), alert);
  }
  t.equal(knownAlert('record_overflow', 0x0300), 'bad_record_mac');
  t.equal(knownAlert('record_overflow', undefined), 'record_overflow');
});

test('the alert of an outcome is the one that was sent, in SSL 3.0 too', async (t) => {
  for (const [version, alert] of [
    [0x0300, 'bad_record_mac'],
    [0x0301, 'record_overflow'],
  ] as const) {
    const server = new TestServer();
    server.receive(new TestClient({ version }).hello());
    server.take();
    server.receive(Buffer.from(`16${version.toString(16).padStart(4, '0')}ffff`, 'hex'));
    const { outcome } = server;
    t.match(outcome, { kind: 'refused', alert, error: { reason: 'record_overflow' } });
    t.equal(outcome?.finalBytes.at(-1), AlertDescription[alert]);
  }
});

test('a refusal is one fatal alert and the end; nothing is read or answered any more', async (t) => {
  for (const provocations of Object.values(PROVOCATIONS)) {
    for (const [title, provoke] of provocations) {
      const server = provoke(start);
      const finalBytes = server.outcome!.finalBytes;
      t.equal(finalBytes[0], 21, title);
      t.equal(finalBytes.length, 5 + finalBytes.readUInt16BE(3), 'exactly one record');
      t.equal(server.connection.state, 'ended');
      server.take();
      server.receive(new TestClient().hello());
      server.connection.close();
      t.equal(server.take().length, 0);
    }
  }
});

test('an alert in clear has the number and the version that the client can read', async (t) => {
  const wire = (options: HelloOptions, parameters: Partial<ServerParameters>): string =>
    start(options, parameters).server.take().toString('hex');
  const { protocol_version, handshake_failure, decode_error } = AlertDescription;
  const hex = (alert: number): string => alert.toString(16).padStart(2, '0');
  t.equal(wire({ version: 0x0301 }, { minVersion: 0x0302 }), `150301000202${hex(protocol_version)}`);
  t.equal(
    wire({ version: 0x0300 }, { minVersion: 0x0301 }),
    `150300000202${hex(protocol_version)}`,
    'SSL 3.0 where it is off (RFC 7568, 3; RFC 5246, E.1)',
  );
  t.equal(
    wire({ format: 'sslv2', version: 0x0300 }, { minVersion: 0x0301 }),
    `150300000202${hex(protocol_version)}`,
    'in SSLv2 format too',
  );
  t.equal(
    wire({ version: 0x0300, suites: [3] }, {}),
    `150300000202${hex(handshake_failure)}`,
    'SSL 3.0 once agreed on',
  );
  t.equal(
    wire({ version: 0x0399, suites: [3] }, {}),
    `150303000202${hex(handshake_failure)}`,
    'no version newer than there is',
  );
  t.equal(
    wire({ format: 'sslv2', version: 0x0302, suites: [3] }, {}),
    `150302000202${hex(handshake_failure)}`,
  );
  t.equal(wire({ version: 0x0302, compression: [] }, {}), `150302000202${hex(decode_error)}`);
  t.equal(wire({ version: 0x0300, compression: [] }, {}), `150300000202${hex(decode_error)}`);
});

test('before there is a hello, an alert has the version of the first record (RFC 7507, 3)', async (t) => {
  const wire = (bytes: string): string => {
    const server = new TestServer();
    server.receive(Buffer.from(bytes, 'hex'));
    return server.take().toString('hex');
  };
  t.equal(wire('160301ffff'), '15030100020216', 'record_overflow');
  t.equal(wire('160300ffff'), '15030000020216', 'SSL 3.0 is not agreed on yet');
  t.equal(wire('1403030001' + '01'), '1503030002020a', 'ChangeCipherSpec first');
  t.equal(wire('1603020004' + '02000000'), '1503020002020a', 'ServerHello first');
  t.equal(wire('1602000005'), '15030100020246', 'protocol_version, for a version that does not exist');
  t.equal(wire('1604000005'), '15030300020246');
  t.equal(wire('802e010400'), '15030300020246', 'in SSLv2 format too');
  t.equal(
    wire('1603010006' + '010000020300'),
    '15030000020232',
    'the version of a hello that ends behind it',
  );
  t.equal(wire('802e010301' + '00'.repeat(60)), '15030100020232', 'decode_error');
});

test('until there is a version, each record of a hello may carry another (RFC 5246, E.1)', async (t) => {
  const client = new TestClient({ version: 0x0303 });
  const hello = client.hello().subarray(5);
  const server = new TestServer();
  server.receive(
    Buffer.concat([record(22, 0x0300, hello.subarray(0, 9)), record(22, 0x0303, hello.subarray(9))]),
  );
  client.receive(server.take());
  t.equal(client.server?.version, 0x0303);
});

test('messages in records of one byte each are read like whole ones (RFC 5246, 6.2.1)', async (t) => {
  // A hello that needs nearly as many records as one message may have; what is counted begins anew with the next.
  const client = new TestClient({ version: 0x0303, suites: [...Array<number>(2000).fill(0x35), 0x2f] });
  const inBytes = (wholeRecord: Buffer): Buffer =>
    Buffer.concat(inRecords(wholeRecord.subarray(5), 1, client.server?.version));
  const hello = inBytes(client.hello());
  t.equal(new Acceptor().push(hello)?.kind, 'client_hello');
  const server = new TestServer();
  server.receive(hello);
  client.receive(server.take());
  server.receive(inBytes(client.send(16, client.clientKeyExchange())));
  server.receive(client.changeCipherSpec());
  client.protectWrites();
  for (const byte of client.finishedMessage()) server.receive(client.seal(22, Buffer.of(byte)));
  t.equal(server.connection.state, 'established');
});

test('nothing is kept of a hello once the handshake is complete', async (t) => {
  const client = new TestClient({ suites: [0x2f] });
  const server = new TestServer();
  const hello = client.hello();
  server.receive(hello);
  t.same(server.connection.clientHello?.original, hello.subarray(5));
  client.receive(server.take());
  server.receive(client.secondFlight());
  t.equal(server.connection.clientHello, undefined);
});

test('a record has 2^14 bytes at most in clear, 2048 more under encryption, and 320 where fragments are small', async (t) => {
  const header = (length: number, version: number): Buffer =>
    Buffer.from([23, version >> 8, version & 0xff, length >> 8, length & 0xff]);
  const inClear = (length: number): string | undefined => {
    const server = new TestServer({ largeRecords: false });
    server.receive(Buffer.concat([Buffer.of(22), header(length, 0x0301).subarray(1)]));
    return server.refusal;
  };
  t.equal(inClear(2 ** 14), undefined);
  t.equal(inClear(2 ** 14 + 1), 'record_overflow');
  const largest = establish({ version: 0x0301 }, { largeRecords: false });
  largest.server.receive(largest.client.seal(23, Buffer.alloc(2 ** 14)));
  t.equal(largest.server.received.length, 2 ** 14);
  const large = (length: number): string | undefined => {
    const old = establish({ version: 0x0301 }, { largeRecords: true });
    old.server.receive(old.client.seal(23, Buffer.alloc(length)));
    return old.server.refusal;
  };
  t.equal(large(2 ** 15), undefined, 'old Microsoft stacks');
  t.equal(large(2 ** 15 + 1), 'record_overflow');
  const protectedBy = (length: number, options: HelloOptions): string | undefined => {
    const { server } = establish(options, { largeRecords: false });
    server.receive(header(length, options.version!));
    return server.refusal;
  };
  t.equal(protectedBy(2 ** 14 + 2048, { version: 0x0301 }), undefined);
  t.equal(protectedBy(2 ** 14 + 2049, { version: 0x0301 }), 'record_overflow');
  const { server } = start(extension(1, '01'));
  server.receive(header(513, 0x0303).fill(22, 0, 1));
  t.equal(server.refusal, 'record_overflow', 'from the header, in clear too');
  t.equal(protectedBy(512 + 320, extension(1, '01')), undefined);
  t.equal(protectedBy(512 + 321, extension(1, '01')), 'record_overflow');
});

test('a hello has 16384 bytes and 4096 records at most', async (t) => {
  const announced = (length: number): string | undefined =>
    refusedBytes(record(22, 0x0301, Buffer.of(1, 0, length >> 8, length & 0xff)))().refusal;
  t.equal(announced(16384), undefined);
  t.equal(announced(16385), 'message_too_long');
  const inSingleBytes = (extra: number): TestServer => {
    const options = { sessionId: Buffer.alloc(1 + extra), suites: Array<number>(2026).fill(0x2f) };
    return refusedBytes(...inRecords(handshakeMessage(1, helloBody(options)), 1))();
  };
  t.equal(inSingleBytes(0).refusal, undefined);
  t.equal(inSingleBytes(1).refusal, 'too_many_fragments');
});

test('a second ClientHello ends the connection with a fatal alert, in every version', async (t) => {
  const { no_renegotiation, handshake_failure } = AlertDescription;
  for (const version of [0x0300, 0x0301, 0x0302, 0x0303]) {
    const { server, client } = establish({ version });
    server.receive(
      Buffer.concat([client.send(1, helloBody({ version })), client.seal(23, Buffer.from('x'))]),
    );
    client.receive(server.take());
    const description = version === 0x0300 ? handshake_failure : no_renegotiation;
    t.same(client.alerts, [{ level: 2, description }]);
    t.equal(server.refusal, 'renegotiation');
    t.equal(server.received.length, 0, 'what is behind it is not read');
  }
});

test('32 empty records and four warnings are borne, as is what follows them', async (t) => {
  const { server, client } = establish();
  for (let round = 0; round < 2; round += 1) {
    for (let count = 0; count < 32; count += 1) server.receive(client.seal(23, Buffer.alloc(0)));
    server.receive(client.seal(23, Buffer.from('a')));
  }
  for (let round = 0; round < 3; round += 1) {
    // No_certificate, where it answers nothing, is one like the others.
    for (const description of [90, 90, 90, 41]) server.receive(client.seal(21, Buffer.of(1, description)));
    server.receive(client.seal(23, Buffer.from('b')));
  }
  t.equal(server.received.toString(), 'aabbb', 'each time anew');
});

test("a client's fatal alert ends the connection and is not answered", async (t) => {
  for (const description of [0x28, 0x2a, 0x30, 0x64]) {
    const { server } = start();
    server.receive(record(21, 0x0301, Buffer.of(2, description)));
    t.match(server.outcome, { kind: 'peer_alert' });
    t.equal(server.outcome?.finalBytes.length, 0);
  }
  const unnamed = start().server;
  unnamed.receive(record(21, 0x0301, Buffer.of(2, 255)));
  t.match(unnamed.outcome, { kind: 'peer_alert', alert: 'alert_255' });
  const { server } = start({ version: 0x0303 }, { maxVersion: 0x0301 });
  server.receive(record(21, 0x0303, Buffer.of(2, 70)));
  t.match(
    server.outcome,
    { kind: 'peer_alert', alert: 'protocol_version' },
    'also in a version that was not chosen',
  );
});

test('SSLv3 takes whatever stands behind the compression methods (RFC 5746, 3.3)', async (t) => {
  const junk = Buffer.concat([helloBody({ version: 0x0300, suites: [5] }), Buffer.from('junkjunk')]);
  const server = new TestServer();
  server.receive(record(22, 0x0300, handshakeMessage(1, junk)));
  t.equal(server.sent[0], 22);
  const later = new TestServer();
  later.receive(
    record(22, 0x0301, handshakeMessage(1, Buffer.concat([helloBody({}), Buffer.from('junkjunk')]))),
  );
  t.equal(later.refusal, 'malformed_message');
});

test('the byte limit of 64-bit block ciphers closes the connection in order (SWEET32)', async (t) => {
  const exchange = (suite: number): TestServer => {
    const { server, client } = establish({ suites: [suite] }, { smallBlockLimit: 1000 });
    server.receive(client.seal(23, Buffer.alloc(900)));
    t.equal(server.outcome, undefined);
    server.receive(client.seal(23, Buffer.alloc(200)));
    client.receive(server.take());
    if (server.outcome !== undefined) t.same(client.alerts, [{ level: 1, description: 0 }]);
    return server;
  };
  t.equal(exchange(0x0a).outcome?.kind, 'data_limit', '3DES');
  t.equal(exchange(0x09).outcome?.kind, 'data_limit', 'DES');
  t.equal(exchange(0x2f).outcome, undefined, 'AES has larger blocks');
  // Finished is 16 bytes, this is 100; then 20 of MAC, and padding to the end of a block.
  const under = (smallBlockLimit: number): string | undefined => {
    const limited = establish({ suites: [0x0a] }, { smallBlockLimit }).server;
    limited.connection.send(Buffer.alloc(100));
    return limited.outcome?.kind;
  };
  t.equal(under(40 + 128), undefined, 'the limit may be reached');
  t.equal(under(40 + 128 - 1), 'data_limit');
  const { server } = establish({ suites: [0x0a] }, { smallBlockLimit: 1000 });
  server.connection.send(Buffer.alloc(850));
  t.equal(server.outcome, undefined, 'what was sent in clear does not count');
  server.connection.send(Buffer.alloc(200));
  t.equal(server.outcome?.kind, 'data_limit', 'counted each way');
  const dribbling = establish({ suites: [0x0a] }, { smallBlockLimit: 1000 });
  for (let sent = 0; sent < 50; sent += 1) dribbling.server.receive(dribbling.client.seal(23, Buffer.of(0)));
  t.equal(dribbling.server.outcome?.kind, 'data_limit', 'blocks count, not what is in them');
});

test('record splitting puts one byte in front in CBC suites up to TLS 1.0, where it is asked for (BEAST)', async (t) => {
  const records = (version: number, suite: number, recordSplitting: boolean): number[] => {
    const { server, client } = establish({ version, suites: [suite] }, { recordSplitting });
    return [100, 100, 1].map((length) => {
      server.connection.send(Buffer.alloc(length));
      const sent = server.take();
      client.receive(sent);
      let count = 0;
      for (let at = 0; at < sent.length; at += 5 + sent.readUInt16BE(at + 3)) count += 1;
      return count;
    });
  };
  t.same(records(0x0301, 0x2f, true), [1, 2, 1], 'the first needs none, and one byte cannot be split');
  t.same(records(0x0300, 0x2f, true), [1, 2, 1]);
  t.same(records(0x0301, 0x2f, false), [1, 1, 1]);
  t.same(records(0x0302, 0x2f, true), [1, 1, 1], 'TLS 1.1 has IVs of its own');
  t.same(records(0x0301, 0x05, true), [1, 1, 1], 'RC4 has none');
});

test('records of more than 2^14 bytes are taken where that is asked for', async (t) => {
  const { server, client } = establish({}, { largeRecords: true });
  server.receive(client.seal(23, Buffer.alloc(20_000)));
  t.equal(server.received.length, 20_000);
});

test('a certificate meant for old clients is for them, and the other one for the rest', async (t) => {
  const old = { ...RSA.credential, serverNames: ['old.example'], audience: 'legacy' } as const;
  const current = { ...RSA.credential, serverNames: ['current.example'], audience: 'modern' } as const;
  const ecdsa = { ...ECDSA.credential, audience: 'modern' } as const;
  const shown = (options: HelloOptions, credentials: ServerParameters['credentials']): string => {
    const server = new TestServer({ credentials });
    const client = new TestClient(options);
    server.receive(client.hello());
    client.receive(server.take());
    server.receive(client.secondFlight());
    return server.established?.credential?.serverNames[0] ?? '';
  };
  const modern: HelloOptions = { version: 0x0303, extensions: [[23, Buffer.alloc(0)]] };
  const both = [current, old];
  t.equal(shown({ format: 'sslv2', version: 0x0303 }, both), 'old.example');
  t.equal(shown({ version: 0x0301, extensions: [[23, Buffer.alloc(0)]] }, both), 'old.example');
  t.equal(shown({ version: 0x0303 }, both), 'old.example', 'TLS 1.2 without extensions');
  t.equal(shown(modern, both), 'current.example');
  t.equal(shown(modern, [old]), 'old.example', 'better than none');
  const groups = [10, Buffer.from('00020017', 'hex')] as const;
  const elliptic = { version: 0x0301, suites: [0xc009, 0x2f], extensions: [groups] };
  t.equal(shown(elliptic, [ecdsa, old]), 'old.example', 'a better suite is no reason to show the other one');
});

test('the intermediate preset signs nothing with SHA-1 (RFC 9155), and serves those who have only P-384', async (t) => {
  const offer = (schemes: string | undefined, groups = '0002001d'): HelloOptions => ({
    version: 0x0303,
    suites: [0xc02f],
    extensions: [
      [10, Buffer.from(groups, 'hex')],
      ...(schemes === undefined ? [] : [[13, vector16(Buffer.from(schemes, 'hex'))] as const]),
    ],
  });
  t.equal(start(offer('0201'), PRESETS.intermediate).server.refusal, 'no_shared_signature_algorithm');
  t.equal(start(offer(undefined), PRESETS.intermediate).server.refusal, 'no_shared_signature_algorithm');
  t.equal(start(offer('02010401'), PRESETS.intermediate).server.refusal, undefined);
  t.equal(start(offer('0201'), PRESETS.legacy).server.refusal, undefined);
  for (const preset of Object.values(PRESETS)) {
    const { server } = establish(offer('0401', '00020018'), preset);
    t.equal(server.established?.group, 24);
    const { server: better } = establish(offer('0401', '000600180017001d'), preset);
    t.equal(better.established?.group, 29);
  }
});

test('a certificate is chosen by what the client can verify, and by name', async (t) => {
  const suites = [0xc02b, 0xc02f, 0x2f];
  const groups = [10, Buffer.from('0004001d0017', 'hex')] as const;
  const chosen = (schemes: string, curves = groups): string | undefined => {
    const signatures = [13, vector16(Buffer.from(schemes, 'hex'))] as const;
    return start({ version: 0x0303, suites, extensions: [curves, signatures] }).client.server?.suite.name;
  };
  t.match(chosen('04030401'), /ECDHE_ECDSA/);
  t.match(chosen('0401'), /ECDHE_RSA/, 'no ECDSA signatures');
  t.match(
    chosen('04030401', [10, Buffer.from('0002001d', 'hex')]),
    /ECDHE_RSA/,
    'not the curve of the certificate',
  );
  t.match(chosen('0804'), /^TLS_RSA_WITH_AES_128_CBC_SHA$/, 'no signature at all, so none is needed');
  const named = { ...RSA.credential, serverNames: ['*.mail.example', 'mail.example'] };
  const other = { ...RSA.credential, serverNames: ['other.example'] };
  const name = (text: string) =>
    [0, vector16(Buffer.concat([Buffer.of(0), vector16(Buffer.from(text))]))] as const;
  const byName = (text: string): { acknowledged: boolean; used: string[] } => {
    const server = new TestServer({ credentials: [other, named] });
    const client = new TestClient({ version: 0x0303, suites: [0x2f], extensions: [name(text)] });
    server.receive(client.hello());
    client.receive(server.take());
    server.hold = true;
    server.receive(client.send(16, client.clientKeyExchange()));
    const [operation] = server.operations;
    const used = operation?.kind === 'decrypt' ? [...operation.credential.serverNames] : [];
    return { acknowledged: client.server!.extensions.has(0), used };
  };
  t.same(byName('MAIL.example'), { acknowledged: true, used: named.serverNames });
  t.same(byName('a.mail.example'), { acknowledged: true, used: named.serverNames });
  t.same(
    byName('a.b.mail.example'),
    { acknowledged: false, used: other.serverNames },
    'a wildcard is one label',
  );
  t.same(
    byName('unknown.example'),
    { acknowledged: false, used: other.serverNames },
    'an unknown name is no error',
  );
});
