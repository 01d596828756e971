import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { Acceptor, type Accepted } from '../../../src/tls/hello/acceptor.js';
import type { ClientHello } from '../../../src/tls/hello/client-hello.js';

interface CapturedHello {
  client: string;
  version: string;
  options: string;
  format: 'sslv2' | 'record';
  hex: string;
}

/** First flights of OpenSSL 0.9.7 to 3 and of JSSE, captured from the programs themselves. */
const captured = JSON.parse(
  readFileSync(new URL('../../vectors/hellos.json', import.meta.url), 'utf8'),
) as CapturedHello[];

const title = ({ client, version, options }: CapturedHello): string => `${client} ${version} ${options}`;
const isPureSslv2 = ({ format, hex }: CapturedHello): boolean =>
  format === 'sslv2' && hex.slice(6, 10) === '0002';

/** The result, and after how many of the chunks it came. */
function accept(...chunks: Buffer[]): { accepted: Accepted | undefined; after: number } {
  const acceptor = new Acceptor();
  for (const [index, chunk] of chunks.entries()) {
    const accepted = acceptor.push(Buffer.from(chunk));
    if (accepted !== undefined) return { accepted, after: index + 1 };
  }
  return { accepted: undefined, after: 0 };
}

/** A reading of the bytes that shares nothing with the decoder: offsets of RFC 5246, E.2 in hex. */
function expectedOfSslv2(hex: string): Partial<ClientHello> {
  const number = (from: number, bytes: number): number =>
    parseInt(hex.slice(from * 2, (from + bytes) * 2), 16);
  const specLength = number(5, 2);
  const challengeLength = number(9, 2);
  const specs = (hex.slice(22, 22 + specLength * 2).match(/.{6}/g) ?? []).map((spec) => parseInt(spec, 16));
  const challenge = hex.slice(hex.length - challengeLength * 2);
  return {
    format: 'sslv2',
    clientVersion: number(3, 2),
    random: Buffer.from(challenge.padStart(64, '0'), 'hex'),
    sessionId: Buffer.alloc(0),
    cipherSuites: specs.filter((spec) => spec < 0x10000),
    sslv2: { cipherSpecs: specs, challengeLength },
    compressionMethods: [0],
    extensions: undefined,
    original: Buffer.from(hex.slice(4), 'hex'),
  };
}

test('every captured SSLv2-format hello is read as RFC 5246, E.2 says', async (t) => {
  const hellos = captured.filter((hello) => hello.format === 'sslv2' && !isPureSslv2(hello));
  t.ok(
    hellos.some(({ hex }) => hex.startsWith('81')),
    'with a length above 255 among them',
  );
  for (const hello of hellos) {
    const { accepted } = accept(Buffer.from(hello.hex, 'hex'));
    t.match(accepted, { kind: 'client_hello', hello: expectedOfSslv2(hello.hex) }, title(hello));
  }
});

test('every captured record-format hello is read as RFC 5246, 7.4.1.2 says', async (t) => {
  for (const hello of captured.filter(({ format }) => format === 'record')) {
    const { accepted } = accept(Buffer.from(hello.hex, 'hex'));
    t.equal(accepted?.kind, 'client_hello', title(hello));
    if (accepted?.kind !== 'client_hello') continue;
    const body = hello.hex.slice(18);
    const sessionIdLength = parseInt(body.slice(68, 70), 16);
    const afterId = body.slice(70 + sessionIdLength * 2);
    const suiteBytes = parseInt(afterId.slice(0, 4), 16);
    t.match(accepted.hello, {
      format: 'record',
      clientVersion: parseInt(body.slice(0, 4), 16),
      random: Buffer.from(body.slice(4, 68), 'hex'),
      cipherSuites: (afterId.slice(4, 4 + suiteBytes * 2).match(/.{4}/g) ?? []).map((id) => parseInt(id, 16)),
      original: Buffer.from(hello.hex.slice(10), 'hex'),
    });
  }
});

test('every captured hello reads the same when it is cut in two at any point, and byte by byte', async (t) => {
  for (const hello of captured) {
    const bytes = Buffer.from(hello.hex, 'hex');
    const { accepted: whole } = accept(bytes);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const { accepted, after } = accept(bytes.subarray(0, cut), bytes.subarray(cut));
      if (isPureSslv2(hello)) {
        t.equal(accepted?.kind, 'pure_sslv2');
        continue;
      }
      if (after !== 2) t.fail(`${title(hello)} decided after ${cut} of ${bytes.length} bytes`);
      if (json(accepted) !== json(whole))
        t.equal(json(accepted), json(whole), `${title(hello)} cut at ${cut}`);
    }
    const dribbled = accept(...[...bytes].map((byte) => Buffer.of(byte)));
    if (!isPureSslv2(hello)) t.equal(json(dribbled.accepted), json(whole), title(hello));
  }
});

test('a hello of SSL 2.0 itself is recognised as such', async (t) => {
  const pure = captured.filter(isPureSslv2);
  t.not(pure.length, 0);
  for (const hello of pure)
    t.equal(accept(Buffer.from(hello.hex, 'hex')).accepted?.kind, 'pure_sslv2', title(hello));
});

const json = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) => (item instanceof Map ? [...item] : item));
