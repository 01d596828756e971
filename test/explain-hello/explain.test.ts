/** A hello is found and read in every form in which people have one, and what is missing is said. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { explain } from '../../src/explain-hello/explanation.js';
import { findHellos, type FoundHellos } from '../../src/explain-hello/find-hellos.js';
import { textOf } from '../../src/explain-hello/text-view.js';
import { capturedHellos } from '../support/hellos.js';
import { conversation, FIN, ipv4, pcap } from '../support/captures.js';
import { mutate, rngFrom } from '../support/mutate.js';
import { USUAL_HELLO, wireHello } from '../support/worst-hellos.js';

const captured = (version: string): Buffer =>
  Buffer.from(capturedHellos().find((one) => one.version === version)!.hex, 'hex');
const SSLV2 = captured('0.9.8y');
const RECORD = captured('3.0.19');

const pairs = (bytes: Buffer): string[] => bytes.toString('hex').match(/../g) ?? [];
const printable = (bytes: Buffer): string => bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '.');

/** Lines of 16 bytes, as a format of one line has them. */
function dump(bytes: Buffer, line: (at: number, row: Buffer) => string): string {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) rows.push(line(at, bytes.subarray(at, at + 16)));
  return rows.join('\n');
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
const words = (row: Buffer): string => row.toString('hex').replace(/(.{4})(?=.)/g, '$1 ');

const FORMS: Readonly<Record<string, (bytes: Buffer) => string>> = {
  'a hex stream': (bytes) => bytes.toString('hex'),
  'upper case with colons': (bytes) => pairs(bytes).join(':').toUpperCase(),
  'an array of C': (bytes) =>
    pairs(bytes)
      .map((pair) => `0x${pair}`)
      .join(', '),
  'escapes of a shell': (bytes) =>
    pairs(bytes)
      .map((pair) => `\\x${pair}`)
      .join(''),
  'testssl.sh': (bytes) => pairs(bytes).join(', '),
  xxd: (bytes) => dump(bytes, (at, row) => `${hex(at, 8)}: ${words(row).padEnd(39)}  ${printable(row)}`),
  'hexdump -C': (bytes) =>
    dump(bytes, (at, row) => {
      const [left, right] = [row.subarray(0, 8), row.subarray(8)].map((half) => pairs(half).join(' '));
      return `${hex(at, 8)}  ${`${left}  ${right}`.padEnd(48)}  |${printable(row)}|`;
    }),
  Wireshark: (bytes) =>
    dump(bytes, (at, row) => `${hex(at, 4)}  ${pairs(row).join(' ').padEnd(47)}   ${printable(row)}`),
  'od -t x1': (bytes) =>
    dump(bytes, (at, row) => `${at.toString(8).padStart(7, '0')} ${pairs(row).join(' ')}`),
  Domino: (bytes) =>
    dump(
      bytes,
      (at, row) =>
        `[0A7C:0002-0F9C] 02/25/2015 04:45:41 PM SSL_RCV> ${hex(at, 8)}: ${words(row)}   '${printable(row)}'`,
    ),
};

const originals = ({ accepted }: FoundHellos): (string | undefined)[] =>
  accepted.map((one) => (one.kind === 'client_hello' ? one.hello.original.toString('hex') : one.kind));

for (const [form, write] of Object.entries(FORMS)) {
  test(`${form} is read`, async (t) => {
    for (const bytes of [SSLV2, RECORD, wireHello(USUAL_HELLO)]) {
      const found = findHellos(Buffer.from(`some words before\n${write(bytes)}\nand behind\n`));
      t.same(originals(found), originals(findHellos(bytes)));
      t.equal(originals(found).length, 1);
      t.same(found.notes, []);
    }
  });
}

test('what openssl s_client prints with -msg and -debug is read', async (t) => {
  for (const [file, version] of [
    ['openssl-msg.txt', 'TLSv1'],
    ['openssl-debug.txt', 'TLSv1.2'],
  ] as const) {
    const found = findHellos(readFileSync(new URL(`../vectors/dumps/${file}`, import.meta.url)));
    t.same(found.notes, []);
    t.equal(found.accepted.length, 1);
    t.match(explain(found.accepted[0]!).hello, { version, library: 'OpenSSL 1.1 or later' });
  }
});

const SSLV2_AND_MODERN = [
  { format: 'sslv2', version: 'TLSv1' },
  { format: 'record', version: 'TLSv1.3' },
];
/** What the tools printed of the hello of OpenSSL 0.9.8y, alone or before one of OpenSSL 3.0. */
const TOOLS: Readonly<Record<string, readonly object[]>> = {
  'sslv2-hello.bin': SSLV2_AND_MODERN.slice(0, 1),
  'xxd.txt': SSLV2_AND_MODERN.slice(0, 1),
  'xxd-p.txt': SSLV2_AND_MODERN.slice(0, 1),
  'hexdump-C.txt': SSLV2_AND_MODERN.slice(0, 1),
  'od-t-x1.txt': SSLV2_AND_MODERN.slice(0, 1),
  'od-x.txt': SSLV2_AND_MODERN.slice(0, 1),
  'tcpdump-X.txt': SSLV2_AND_MODERN,
  'tcpdump-xx.txt': SSLV2_AND_MODERN,
  'tshark-x.txt': SSLV2_AND_MODERN,
  'wireshark-hex-stream.txt': SSLV2_AND_MODERN,
  'two.pcap': SSLV2_AND_MODERN,
  'two.pcapng': SSLV2_AND_MODERN,
  'testssl-debug-4.txt': [{ version: 'TLSv1.3' }, { version: 'TLSv1.2' }],
};
const vector = (name: string): Buffer => readFileSync(new URL(`../vectors/dumps/${name}`, import.meta.url));

for (const [file, hellos] of Object.entries(TOOLS)) {
  test(`${file}, as the tool wrote it, is read`, async (t) => {
    const { accepted } = findHellos(vector(file));
    t.match(
      accepted.map((one) => explain(one).hello),
      hellos,
    );
    t.equal(accepted.length, hellos.length);
  });
}

test('a hello of a capture has the time and the addresses of its connection', async (t) => {
  const { origins, notes } = findHellos(vector('two.pcap'));
  t.match(origins, [/^2026-11-27T07:21:56\.599Z 127\.0\.0\.1:60820 to 127\.0\.0\.1:47631$/, /:60826 to /]);
  t.same(notes, []);
});

test('what a capture lacks is reported for each connection', async (t) => {
  const short = findHellos(vector('cut.pcap'));
  t.same(short.accepted, []);
  t.equal(short.notes.length, 2, 'one for each packet that tcpdump -s 120 cut');
  t.match(short.notes[0], /:44336 to 127\.0\.0\.1:47631: the capture lacks bytes before or in the hello/);
  t.match(
    findHellos(vector('tcpdump-X-cut.txt')).notes.join('; '),
    /73 bytes are missing .* only 54 are here/,
  );
  const two = vector('two.pcap');
  const cutFile = findHellos(two.subarray(0, two.length - 3));
  t.equal(cutFile.accepted.length, 2);
  t.match(cutFile.notes, [/^the capture is damaged or was cut: it ends in the middle of a packet/]);
  const begun = conversation([['client', RECORD]]).filter(({ flags }) => (flags & FIN) === 0);
  t.match(findHellos(pcap(ipv4(begun.slice(0, 4)))).notes, [
    /the hello is cut, its end is not in the capture$/,
  ]);
  t.match(findHellos(pcap(ipv4(conversation([['client', 'EHLO a\r\n']])))).notes, [
    'there is no ClientHello in this capture',
  ]);
  t.match(findHellos(pcap([Buffer.alloc(60)], { linkType: 147 })).notes, [/unknown link type 147/]);
});

test('one packet of a connection is enough, in either format', async (t) => {
  for (const hello of [SSLV2, RECORD.subarray(0, 100)]) {
    const [packet] = conversation([['client', hello]]).slice(2, 3);
    const { accepted, notes } = findHellos(pcap(ipv4([{ ...packet!, payload: hello }])));
    if (hello === SSLV2) t.same(originals({ accepted, notes, origins: [] }), originals(findHellos(SSLV2)));
    else t.match(notes, [/the hello is cut/]);
  }
});

test('a capture with many hellos shows the first ten, and the number of the others', async (t) => {
  const packets = Array.from({ length: 25 }, (_, n) =>
    ipv4(conversation([['client', SSLV2]]), { port: 40_000 + n }),
  );
  const { accepted, notes } = findHellos(pcap(packets.flat()));
  t.equal(accepted.length, 10);
  t.match(notes, [/^15 more connections begin with a hello; "oldhello census" counts them all$/]);
});

test('packets with their headers are read, and one that was cut is reported', async (t) => {
  const packet = (payload: Buffer): Buffer => {
    const ip = Buffer.alloc(20);
    ip[0] = 0x45;
    ip.writeUInt16BE(40 + payload.length, 2);
    ip[9] = 6;
    const tcp = Buffer.alloc(20);
    tcp[12] = 0x50;
    return Buffer.concat([ip, tcp, payload]);
  };
  const tcpdump = (bytes: Buffer): string =>
    `12:00:00.000000 IP a.4000 > b.25: Flags [P.], length 1\n${dump(bytes, (at, row) => `\t0x${hex(at, 4)}:  ${words(row).padEnd(39)}  ${printable(row)}`)}\n`;
  const whole = findHellos(Buffer.from(tcpdump(packet(SSLV2))));
  t.same(originals(whole), originals(findHellos(SSLV2)));
  const inTwo = tcpdump(packet(RECORD.subarray(0, 100))) + tcpdump(packet(RECORD.subarray(100)));
  t.same(originals(findHellos(Buffer.from(inTwo))), originals(findHellos(RECORD)));
  const cut = findHellos(Buffer.from(tcpdump(packet(RECORD).subarray(0, 96))));
  t.same(cut.accepted, []);
  t.match(cut.notes.join('; '), /a packet was cut .* bytes are missing.*the hello is cut/);
  const ethernet = Buffer.concat([Buffer.alloc(12, 2), Buffer.from('0800', 'hex'), packet(SSLV2)]);
  t.same(originals(findHellos(Buffer.from(ethernet.toString('hex')))), originals(findHellos(SSLV2)));
});

test('a message without its header, bytes before it, and pairs in the wrong order are read with a note', async (t) => {
  const cases: [Buffer, RegExp, Buffer][] = [
    [RECORD.subarray(5), /without its record header/, RECORD],
    [SSLV2.subarray(2), /without its record header/, SSLV2],
    [
      Buffer.concat([Buffer.from('220 ready\r\n\0'), RECORD]),
      /12 bytes before the hello were skipped/,
      RECORD,
    ],
    [Buffer.from(Buffer.concat([SSLV2, Buffer.of(0)])).swap16(), /swapped/, SSLV2],
  ];
  for (const [bytes, note, hello] of cases) {
    const found = findHellos(Buffer.from(bytes.toString('hex')));
    t.same(originals(found), originals(findHellos(hello)));
    t.match(found.notes.join('; '), note);
  }
});

test('missing bytes, gaps, two hellos and no hello are reported', async (t) => {
  const cut = findHellos(SSLV2.subarray(0, 60));
  t.same(cut.accepted, []);
  t.match(cut.notes, ['the hello is cut: its SSLv2-format message has 127 bytes, and only 60 are here']);
  const lines = FORMS['xxd']!(SSLV2).split('\n');
  t.match(
    findHellos(Buffer.from([...lines.slice(0, 2), ...lines.slice(4)].join('\n'))).notes[0],
    /gap: 32 bytes/,
  );
  t.equal(findHellos(Buffer.concat([RECORD, SSLV2])).accepted.length, 2);
  t.match(findHellos(Buffer.from('EHLO a.example\r\n')).notes, [
    'there are no bytes in this: neither hex of any kind nor a binary hello',
  ]);
});

test('each profile answers as the engine would, with what to set', async (t) => {
  const [sslv2] = findHellos(SSLV2).accepted;
  t.match(explain(sslv2!), {
    profile: 'legacy',
    profiles: [
      { profile: 'intermediate', serves: false, reason: 'sslv2_hello_not_allowed' },
      { profile: 'legacy', serves: true, path: 'engine', version: 'TLSv1', suite: 'AES128-SHA' },
      { profile: 'ancient', serves: true, path: 'engine', version: 'TLSv1', suite: 'AES128-SHA' },
    ],
  });
  t.match(textOf(explain(sslv2!)), /What to set: profile = "legacy"/);
  const [modern] = findHellos(RECORD).accepted;
  t.match(explain(modern!), { profile: 'intermediate', profiles: [{ path: 'native' }] });
  const exported = wireHello({ format: 'sslv2', version: 0x0300, suites: [3, 6, 0x020080] });
  const text = textOf(explain(findHellos(exported).accepted[0]!));
  t.match(text, /No profile serves it: the client offers only EXPORT suites/);
});

test('a hello behind a megabyte of hex on one line is read', async (t) => {
  const found = findHellos(Buffer.from(`${'00'.repeat(1_000_000)}${RECORD.toString('hex')}\n`));
  t.same(originals(found), originals(findHellos(RECORD)));
});

test('long lines and many blocks take time in proportion to their length', async (t) => {
  for (const [name, text] of [
    ['bars', `00000000: 16 03  ${'|'.repeat(300_000)}x`],
    ['quotes', `00000000: 16 03  ${" '".repeat(400)}${' '.repeat(190)}x\n`.repeat(300)],
    ['blocks', '00112233 44556677\nword\n'.repeat(300_000)],
  ] as const) {
    const before = process.cpuUsage();
    t.equal(findHellos(Buffer.from(text)).accepted.length, 0);
    const { user } = process.cpuUsage(before);
    t.ok(user < 8_000_000, `${name} took ${user / 1000} ms`);
  }
});

test('damaged input of every kind is explained or refused, never thrown at', async (t) => {
  const inputs = [
    SSLV2,
    RECORD,
    vector('two.pcapng'),
    vector('two.pcap'),
    ...Object.values(FORMS).map((write) => Buffer.from(write(SSLV2))),
  ];
  for (let seed = 1; seed <= 1500; seed++) {
    const rng = rngFrom(seed);
    const bytes = mutate(inputs[rng(inputs.length)]!, rng);
    try {
      for (const accepted of findHellos(bytes).accepted) textOf(explain(accepted));
    } catch (error) {
      t.fail(`${bytes.toString('hex')}: ${String(error)}`);
    }
  }
  t.pass('all were taken');
});
