/** docs/performance.md, from the figures of the last benchmark that was kept. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { aims } from '../../bench/aims.js';
import type { ProfileReport } from '../../bench/profile.js';
import { PARTS } from '../../bench/profile-parts.js';
import { conditions, ratios, tables, type Report } from '../../bench/report.js';
import { checkDoc } from '../support/generated-doc.js';

const RESULTS = new URL('../../bench/results.json', import.meta.url);
const report = JSON.parse(readFileSync(RESULTS, 'utf8')) as Report;
const PROFILE = new URL('../../bench/profile.json', import.meta.url);
const { profiles, transfers } = JSON.parse(readFileSync(PROFILE, 'utf8')) as ProfileReport;

function profileTable(unit: string, all: ProfileReport['profiles']): string {
  return [
    `| ${unit} | ${all.map(({ title }) => title).join(' | ')} |`,
    `| --- |${' --: |'.repeat(all.length)}`,
    ...PARTS.map((part) => `| ${part} | ${all.map(({ parts }) => parts[part].toFixed(0)).join(' | ')} |`),
    `| in all | ${all.map(({ total }) => total.toFixed(0)).join(' | ')} |`,
  ].join('\n');
}

const PAGE = `# Performance

Generated from \`bench/results.json\` by \`npm run docs\`; do not edit. \`npm run bench -- --json bench/results.json\` makes
the figures anew.

What oldhello costs, side by side with the proxies that could stand in its place, on one machine and in one run: the
server has a core to itself, and the clients and the mail server behind it have the other. The other proxies are
Debian's packages with TLS 1.0 enabled and OpenSSL's security level at 0, without which they refuse the clients that this
is about; those that cannot do what a table measures are named below it. \`node-tls\` is the proxy that anybody would write
with Node's own TLS.

${conditions(report)}

## How to read it

Rounds are interleaved: every server has its turn in each, and ratios are taken within a round. A figure is a median with
the smallest and the largest of the rounds behind it. \`oldhello to it\` is the ratio of the figure that the table is
about; its head says which side of 1 is good. \`server CPU us each\` is what the kernel charged the server for one, and
\`load core busy\` how much of the other core the clients and the backend used: where that is high, the rate says less
than the server's CPU time does. bench/README.md says what each program is and how it is set up. Servers that are
compiled while they run have twenty seconds of load before their connections are counted, and all have three transfers
before those that count.

This was a noisy machine: look at the spread, and at CPU time rather than rates. The table of resumed handshakes is from
a run of five rounds right after the others, because something else took a third of the machine during its first three
(there it said 0.71 of stunnel and 0.70 of Node's tls, and in two runs of the same day 1.05 and 1.04, 0.98 and 1.17).
Of ECDHE the first rounds still cost half as much again as the last: its code is warm later than twenty seconds.

## What was aimed at

${aims(report)}

\`beside it\` is what somebody else makes of the same: nginx of the floor of full handshakes, a bare proxy with Node's TLS
of AES-GCM, and one HMAC and one pass of the cipher in Node, without any TLS, of AES128-SHA. What stands in the way of
the rest is under "Where the time goes".

## All ratios

${ratios(report)}

## On another machine

What a private key costs differs more from one machine to another than anything else here. On 2026-11-24, on an EPYC of
a later generation where RSA takes 255 us a signature and everything else about half of what it takes here, revision
5dafdf4 made 0.81 of nginx's full handshakes, 1.33 of stunnel's, 1.04 of those of Node's tls and 0.62 of the floor; 0.91
of stunnel's and 0.97 of Node's resumed ones; 1.38 of stunnel's deliveries and 0.79 of those of nginx's mail proxy (six
rounds, after a shorter warm-up). Single figures in the text below are from that machine.

## Where the time goes

\`npm run bench:profile\` samples the server under the load of the first tables, after fifteen seconds of warm-up. The
profiler itself costs a tenth and more, so the sums are above what the tables have.

${profileTable('Microseconds of CPU', profiles)}

${profileTable('Milliseconds of CPU for 100 MB', transfers)}

The floor is the first two lines: the private key is OpenSSL's, the sockets are the kernel's, and no proxy does without
either. The \`floor\` of the tables writes twice and closes without a word; close_notify, the greeting and the PROXY header
come on top of that. It does so on the sockets of node:net, as the \`node-tls\` proxy does; oldhello has the TCP handles
that are below them, without sockets and streams on top, which takes 60 to 100 us less for a client and its backend. What
stands between oldhello and a proxy in C is the rest:

- **The TLS engine, and its hashes and ciphers.** The largest single thing is the PRF of TLS 1.0, some 45 HMACs of MD5 and
  SHA-1 a handshake. They run in TypeScript, because a call of node:crypto costs 2 us however short the message is. Two
  cipher objects cost 8 us each. Parsing, checking and hashing the messages is the rest, in pieces of which none is above
  3 % of a connection.
- **The connection, and the log.** The other proxies, as they are set up here, do not tell the backend who the client is,
  do not name the hello, and write no line about a session.
- **Resumed handshakes** have no private key in them, so everything else shows undiluted: the PRF alone is a tenth.
- **Deliveries** need two sessions with the backend, one before STARTTLS and one after it: RFC 3207 wants what was learnt
  in clear forgotten, and the first greeting and EHLO reply are the backend's, not made up.
- **Bulk, AES-CBC.** OpenSSL inside the other proxies computes AES and SHA-1 in one pass and in place. node:crypto gives
  one after the other, each with a buffer of its own for its result. \`floor\` there is that and Node's sockets: one HMAC
  and one pass of the cipher for each 16 KiB, without records, padding or checks.
- **Bulk, all ciphers.** What is moved lies in buffers, and V8 counts their bytes until they are freed. They are freed when
  a collection ends, not by a thread some time later as V8 has it by default: with the default it marked the whole heap 30
  times for each gigabyte, and transfers took up to a third longer.
- **Bulk, AES-GCM and ChaCha20-Poly1305.** By default such clients are served by Node's own TLS; what is lost against a
  bare proxy on the same TLS is the way of each record through the connection. In the engine (\`oldhello-engine\`), where
  node:crypto cannot give a cipher object a new nonce, a record costs an object of 5 us more.
- **RC4** is not in node:crypto. Four bytes at a time the cipher alone does about 450 MB/s in TypeScript; MD5 over the same
  bytes comes on top.
- **Idle connections** hold no buffers but the halves of their record layer, and no ClientHello. They read into one buffer
  that all share, until much comes at a time. Each has two files, the client's socket and the backend's, so where a
  process may have 20,000, ten thousand of them take two workers.
- **Latency.** The 99th percentile of 450 connections a round is five of them, so it jumps from round to round for every
  server here. At 100 connections a second a handshake costs every server more CPU than at 300, those in C
  too; why, was not found out. What is new is collected a few times a second, in some 2 ms, since little of a connection that is over stays for
  long (\`test/proxy/short-collections.test.ts\`, \`test/tls/short-collections.test.ts\`).
- **Workers.** The first process accepts and hands each connection to a worker: the socket goes over a channel and is
  acknowledged, and what the worker has to tell comes back, which is 130 to 150 us of that process for each. A worker that has a
  core to itself does above nine tenths of what a process does that does everything (\`one process\` in the last table). So
  two on cores of their own do nearly twice as much, and the process that accepts takes a third of another. On a machine with two cores, which the
  clients and the backend need too, that cannot show.

- **Silence.** V8 throws away what it has compiled for objects of which there is none at the moment it collects, and in
  silence it collects. After three quarters of a minute without clients a connection cost 1.7 times as much as before, for
  some thousands of them. oldhello has it keep that (\`src/system/v8.ts\`); \`floor\` and \`node-tls\` leave V8 as it is.

Code is compiled while it runs: in the first ten seconds of load after a start a connection costs up to twice as much.

${tables(report)}
`;

test('docs/performance.md is what was measured', async (t) => {
  checkDoc(t, 'performance.md', PAGE);
});

test('the figures that were kept are of every scenario, with oldhello in each', async (t) => {
  for (const { scenario, comparisons } of report.results) {
    t.ok(comparisons.length > 0, `${scenario} has figures`);
    for (const { title, rows } of comparisons)
      t.ok(
        rows.some(({ name }) => name === 'oldhello'),
        title,
      );
  }
});
