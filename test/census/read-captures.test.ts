/** The census: what a capture says of its connections, for every kind of link and format, whole or damaged. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'tap';
import { readCaptures } from '../../src/census/read-captures.js';
import type { ReadReport } from '../../src/report/read-report.js';
import { conversation, ipv4, ipv6, LINKS, pcap, pcapng, RST, type Segment } from '../support/captures.js';
import { OLDEST } from '../support/log-lines.js';
import { handshakeMessage, TestClient } from '../support/test-client.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'oldhello-census-'));
const ALWAYS = { since: undefined, until: undefined };
let files = 0;

async function census(captures: readonly Buffer[], ports: readonly number[] = []): Promise<ReadReport> {
  const paths = captures.map((capture) => {
    const path = join(FOLDER, `capture-${files++}`);
    writeFileSync(path, capture);
    return path;
  });
  return readCaptures(paths, { period: ALWAYS, ports: new Set(ports), progress: () => undefined });
}

const tls = (type: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, 3, 0, body.length >> 8, body.length & 0xff]), body]);
const HELLO = new TestClient(OLDEST).hello();
/** SSLv3 with RC4-MD5, then a Certificate that fills several segments. */
const SERVER_HELLO = Buffer.concat([
  tls(
    22,
    handshakeMessage(
      2,
      Buffer.concat([Buffer.from('0300', 'hex'), Buffer.alloc(32), Buffer.from('00000400', 'hex')]),
    ),
  ),
  tls(22, handshakeMessage(11, Buffer.alloc(700))),
]);
const ENCRYPTED = Buffer.concat([tls(20, Buffer.from([1])), tls(22, Buffer.alloc(56, 0x5a))]);
const HANDSHAKE_FAILURE = tls(21, Buffer.from([2, 40]));

const BEFORE_TLS = [
  ['server', '220 mx.example ESMTP\r\n'],
  ['client', 'EHLO old.example\r\n'],
  ['server', '250-mx.example\r\n250 STARTTLS\r\n'],
  ['client', 'STARTTLS\r\n'],
  ['server', '220 go ahead\r\n'],
] as const;
const HANDSHAKE = [
  ['client', HELLO],
  ['server', SERVER_HELLO],
  ['client', Buffer.concat([tls(22, handshakeMessage(16, Buffer.alloc(128))), ENCRYPTED])],
  ['server', ENCRYPTED],
] as const;
const STARTTLS = conversation([...BEFORE_TLS, ...HANDSHAKE]);
const FOUND = {
  connections: 1,
  withTls: 1,
  old: 1,
  senders: [
    {
      helo: 'old.example',
      format: 'sslv2',
      version: 'SSLv3',
      tls: { version: 'SSLv3', suite: 'RC4-MD5' },
      connections: 1,
      failed: 0,
      first: '2026-11-24T08:00:00.000Z',
    },
  ],
  notes: [],
};

test('a hello after STARTTLS is found on every kind of link, in IPv4 and IPv6', async (t) => {
  for (const [name, [linkType, frame]] of Object.entries(LINKS)) {
    for (const [packets, address] of [
      [ipv4(STARTTLS), '192.0.2.9'],
      [ipv6(STARTTLS), '2001:db8::9'],
    ] as const) {
      const { report, damaged } = await census([pcap(packets.map(frame), { linkType })]);
      t.match(report, FOUND, `${name}, ${address}`);
      t.equal(report.senders[0]?.address, address);
      t.same(damaged, []);
    }
  }
});

test('pcap and pcapng are read in both byte orders, with micro- and nanoseconds, compressed or not', async (t) => {
  for (const format of [pcap, pcapng]) {
    for (const bigEndian of [false, true]) {
      for (const nanoseconds of [false, true]) {
        const capture = format(ipv4(STARTTLS), { bigEndian, nanoseconds });
        const { report } = await census([nanoseconds ? gzipSync(capture) : capture]);
        t.match(report, FOUND, `${format.name}, ${bigEndian ? 'big' : 'little'}-endian`);
      }
    }
  }
});

test('segments may come out of order, twice, or overlapping', async (t) => {
  const [syn, synAck, ...data] = STARTTLS as [Segment, Segment, ...Segment[]];
  const disorders: Record<string, Segment[]> = {
    'each pair swapped': data.flatMap((one, index) => (index % 2 === 0 ? [data[index + 1] ?? one, one] : [])),
    'each one twice': data.flatMap((one) => [one, one]),
    'each one with the byte before it once more': data.map((one, index) => {
      const before = data
        .slice(0, index)
        .findLast((other) => other.fromClient === one.fromClient && other.payload.length > 0);
      if (one.payload.length === 0 || before === undefined) return one;
      return {
        ...one,
        sequence: (one.sequence - 1) >>> 0,
        payload: Buffer.concat([before.payload.subarray(-1), one.payload]),
      };
    }),
    'the server ahead of the client': [
      ...data.filter((one) => !one.fromClient),
      ...data.filter((one) => one.fromClient),
    ],
  };
  for (const [name, segments] of Object.entries(disorders)) {
    const { report } = await census([pcap(ipv4([syn, synAck, ...segments]))]);
    t.match(report, FOUND, name);
  }
});

test('TLS from the first byte is found, and so is a connection whose SYN was not captured', async (t) => {
  const implicit = conversation(HANDSHAKE);
  t.match((await census([pcap(ipv4(implicit))])).report, { connections: 1, old: 1, withTls: 1 });
  t.match((await census([pcap(ipv4(STARTTLS.slice(2)))])).report, FOUND);
});

test('a handshake that fails counts as failed, with what ended it', async (t) => {
  const before = conversation([...BEFORE_TLS, ['client', HELLO]]).slice(0, -2);
  const alerted = conversation([...BEFORE_TLS, ['client', HELLO], ['server', HANDSHAKE_FAILURE]]);
  const distrusted = conversation([
    ...BEFORE_TLS,
    ['client', HELLO],
    ['server', SERVER_HELLO],
    ['client', tls(21, Buffer.from([2, 48]))],
  ]);
  const reset = [
    ...before,
    { fromClient: false, sequence: before.at(-1)!.sequence, flags: RST, payload: Buffer.alloc(0) },
  ];
  for (const [segments, outcome, reason] of [
    [alerted, 'alert_from_server', 'handshake_failure'],
    [distrusted, 'alert_from_client', 'unknown_ca'],
    [
      conversation([...BEFORE_TLS, ['client', HELLO], ['server', SERVER_HELLO]]),
      'handshake_not_finished',
      'client_closed',
    ],
    [reset, 'handshake_not_finished', 'server_reset'],
  ] as const) {
    const { report } = await census([pcap(ipv4(segments))]);
    t.match(report, { connections: 1, withTls: 0, old: 1, failures: [{ outcome, reason, connections: 1 }] });
  }
});

test('mail in clear is counted, also after a STARTTLS that was refused; what is not SMTP is not', async (t) => {
  const clear = conversation([
    ['server', '220 mx\r\n'],
    ['client', 'EHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n'],
    ['client', 'STARTTLS\r\n.\r\nQUIT\r\n'],
  ]);
  const refused = conversation([
    ['server', '220 mx\r\n'],
    ['client', 'EHLO a.example\r\n'],
    ['client', 'STARTTLS\r\n'],
    ['server', '454 4.7.0 not now\r\n'],
    ['client', 'MAIL FROM:<>\r\n'],
  ]);
  const http = conversation([
    ['client', 'GET / HTTP/1.1\r\n\r\n'],
    ['server', 'HTTP/1.1 200 OK\r\n\r\n'],
  ]);
  const packets = [clear, refused, http].flatMap((segments, index) =>
    ipv4(segments, { port: 41_000 + index }),
  );
  t.match((await census([pcap(packets)])).report, { connections: 2, plaintext: 2, withTls: 0, failures: [] });
});

test('where the capture has only the client, its hello counts and nothing is called a failure', async (t) => {
  const { report } = await census([pcap(ipv4(STARTTLS.filter(({ fromClient }) => fromClient)))]);
  t.match(report, {
    connections: 1,
    old: 1,
    withTls: 1,
    failures: [],
    senders: [{ tls: { version: 'not captured' } }],
  });
});

test('bytes that the capture lacks are reported, not guessed', async (t) => {
  const withoutHello = STARTTLS.filter(({ payload }) => !payload.equals(HELLO.subarray(0, 100)));
  t.ok(withoutHello.length < STARTTLS.length);
  const lost = await census([pcap(ipv4(withoutHello))]);
  t.match(lost.report, { connections: 0, notes: [/^1 connection could not be counted/] });
  const short = ipv4(STARTTLS).map((packet) => packet.subarray(0, 60));
  t.match((await census([pcap(short)])).report, { connections: 0, notes: [/capture with -s 0/] });
});

test('only connections to the ports that were asked for count', async (t) => {
  const packets = [25, 443].flatMap((serverPort) => ipv4(conversation(HANDSHAKE), { serverPort }));
  t.equal((await census([pcap(packets)])).report.connections, 2);
  t.equal((await census([pcap(packets)], [25, 465])).report.connections, 1);
});

test('a port that is used again is another connection', async (t) => {
  const again = STARTTLS.map((segment) => ({ ...segment, sequence: (segment.sequence + 5_000_000) >>> 0 }));
  const unfinished = STARTTLS.slice(0, -2);
  t.equal((await census([pcap(ipv4([...unfinished, ...again]))])).report.connections, 2);
});

test('of a capture that was cut short or damaged, what comes before counts', async (t) => {
  const first = ipv4(STARTTLS);
  for (const format of [pcap, pcapng]) {
    const whole = format([...first, ...ipv4(STARTTLS, { port: 50_000 })]);
    const cut = await census([whole.subarray(0, whole.length - 10)]);
    t.match(cut.report, { connections: 2 });
    t.match(cut.damaged, [{ why: /^it ends in the middle of a packet, at byte \d+$/ }]);
    const bad = Buffer.from(whole);
    bad.fill(0xff, format(first).length);
    const damaged = await census([bad, whole]);
    t.match(damaged.damaged, [{ why: /cannot be, at byte \d+$/ }]);
    t.equal(damaged.report.connections, 3, 'and the files after it');
  }
});

test('what is no capture is refused with its name', async (t) => {
  for (const [bytes, message] of [
    ['{"event":"connection_closed"}\n', /it is not a capture in pcap or pcapng format$/],
    ['', /it is empty or too short for a capture$/],
    [pcapng([]).subarray(0, 11), /it ends in the middle of a packet|too short/],
  ] as const) {
    await t.rejects(census([Buffer.from(bytes)]), { message });
  }
  t.match((await census([pcap([Buffer.alloc(60)], { linkType: 147 })])).report, {
    connections: 0,
    notes: ['1 packet of the unknown link type 147 could not be read.'],
  });
});
