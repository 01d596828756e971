/** Metrics from events: what is counted, and that peers cannot make more of them. */
import { property, assert, string } from 'fast-check';
import { test } from 'tap';
import { createLogChannel } from '../../src/observe/log.js';
import { METRICS } from '../../src/observe/metric-table.js';
import { Metrics } from '../../src/observe/metrics.js';
import { makeHello, makeConnection } from '../support/status-fixture.js';

async function linesOf(metrics: Metrics): Promise<string[]> {
  return (await metrics.text()).body.split('\n').filter((line) => line.startsWith('oldhello_'));
}

test('a session with an old hello is counted by format, version, suite, path and need', async (t) => {
  const metrics = new Metrics();
  const { log } = createLogChannel(metrics.receive);
  log('connection_opened', {
    connection: '192.0.2.1',
    listener: 'mx',
    client: { address: '192.0.2.1', port: 1 },
    pid: 1,
  });
  t.ok((await linesOf(metrics)).includes('oldhello_connections_active{listener="mx"} 1'));
  log('connection_closed', makeConnection('192.0.2.1'));
  const lines = await linesOf(metrics);
  for (const line of [
    'oldhello_connections_total{listener="mx",outcome="completed"} 1',
    'oldhello_hellos_total{format="sslv2",version="TLSv1",outcome="completed"} 1',
    'oldhello_hello_needs_total{need="sslv2_hello"} 1',
    'oldhello_handshakes_total{path="engine",version="TLSv1",suite="AES256-SHA"} 1',
    'oldhello_handshake_duration_seconds_bucket{le="0.05",path="engine",format="sslv2"} 0',
    'oldhello_handshake_duration_seconds_bucket{le="0.1",path="engine",format="sslv2"} 1',
    'oldhello_smtp_bytes_total{listener="mx",direction="from_client"} 20480',
  ]) {
    t.ok(lines.includes(line), line);
  }
  t.notOk(
    lines.some((line) => line.startsWith('oldhello_connections_active{')),
    'and it lives no more',
  );
});

test('no text of a peer becomes a label', async (t) => {
  const metrics = new Metrics();
  const { log } = createLogChannel(metrics.receive);
  log('connection_closed', makeConnection('192.0.2.1'));
  const before = (await linesOf(metrics)).length;
  assert(
    property(string({ minLength: 1 }), (text) => {
      const session = makeConnection('192.0.2.1', {
        smtp: { helo: text },
        hello: makeHello('sslv2', 'TLSv1', text),
      });
      log('connection_closed', { ...session, tls: { ...session.tls!, serverName: text } });
    }),
  );
  t.equal((await linesOf(metrics)).length, before);
  for (let suite = 0; suite < 50; suite++) {
    const session = makeConnection('192.0.2.1');
    log('connection_closed', {
      ...session,
      tls: { ...session.tls!, suite: `0xfe${suite}`, version: `0x99${suite}` },
    });
  }
  t.equal((await linesOf(metrics)).length, before + 1, 'what is unknown counts as "other"');
});

test('a process that went silent takes its live connections with it', async (t) => {
  const metrics = new Metrics();
  const { log } = createLogChannel(metrics.receive);
  const sample = { delayMedian: 0, delay99: 1.5, delayMax: 3, memory: 1000, cpu: 2 };
  log('process_sample', { pid: 7, ...sample });
  log('process_sample', { pid: 7, ...sample, cpu: 2.5 });
  log('connection_opened', {
    connection: 'a',
    listener: 'mx',
    client: { address: '192.0.2.1', port: 1 },
    pid: 7,
  });
  t.ok((await linesOf(metrics)).includes('oldhello_cpu_seconds_total 2.5'));
  const { performance } = globalThis;
  const later = performance.now() + 60_000;
  t.intercept(performance, 'now', { value: () => later });
  const lines = await linesOf(metrics);
  t.ok(lines.includes('oldhello_processes 0'));
  t.notOk(lines.some((line) => /^oldhello_(sessions_live|memory_bytes)\{/.test(line)));
});

test('a worker that is lost takes all that was measured of it with it, at once', async (t) => {
  const metrics = new Metrics();
  const { log } = createLogChannel(metrics.receive);
  const sample = { delayMedian: 0, delay99: 1.5, delayMax: 3, memory: 1000, cpu: 2 };
  for (const pid of [7, 8]) {
    log('process_sample', { pid, ...sample });
    const client = { address: '192.0.2.1', port: pid };
    log('connection_opened', { connection: `of ${pid}`, listener: 'mx', client, pid });
  }
  log('worker_lost', { pid: 7, how: 'SIGSEGV', connections: 1, restart: 0 });
  const lines = await linesOf(metrics);
  t.notOk(lines.some((line) => line.includes('pid="7"')));
  t.ok(lines.includes('oldhello_memory_bytes{pid="8"} 1000'));
  t.ok(lines.includes('oldhello_connections_active{listener="mx"} 1'));
  t.ok(lines.includes('oldhello_processes 1'));
  t.ok(lines.includes('oldhello_cpu_seconds_total 4'), 'its processor time stays counted');
});

test('names and units follow the conventions of Prometheus', async (t) => {
  for (const [name, { type }] of Object.entries(METRICS)) {
    t.match(name, /^oldhello_[a-z_]+$/);
    t.equal(name.endsWith('_total'), type === 'counter', name);
    if (type === 'histogram') t.match(name, /_seconds$/);
  }
});
