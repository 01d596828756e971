/** A status page with ninety days of made-up history, served as the program serves it. */
import { MAX_ADMIN_CLIENTS } from '../../src/system/descriptors.js';
import { AdminServer } from '../../src/admin/admin-server.js';
import { loadAssets } from '../../src/admin/assets.js';
import { limitText } from '../../src/config/limit-text.js';
import type { EventFields } from '../../src/observe/events.js';
import { createLogChannel, type LogChannel } from '../../src/observe/log.js';
import { Metrics } from '../../src/observe/metrics.js';
import { StatusBoard } from '../../src/observe/status/status.js';

type Closed = EventFields<'connection_closed'>;

/** The build puts the page's files into it. */
export const BUILT_PAGE = new URL('../../dist/admin/page.json', import.meta.url);

export interface Fixture {
  readonly channel: LogChannel;
  readonly url: string;
}

/** A connection of a client with an old hello that went well; `changes` replaces whole fields. */
export function makeConnection(address: string, changes: Partial<Closed> = {}): Closed {
  return {
    connection: address,
    listener: 'mx',
    client: { address, port: 40_000 },
    hello: makeHello('sslv2', 'TLSv1', 'OpenSSL 0.9.7 or 0.9.8 before m'),
    tls: { path: 'engine', version: 'TLSv1', suite: 'AES256-SHA', keyExchange: 'RSA', resumed: false },
    smtp: { helo: 'old.example' },
    backendSessions: 1,
    bytes: { fromClient: 20_480, toClient: 512 },
    durations: { total: 840, handshake: 61 },
    outcome: 'completed',
    ...changes,
  };
}

export function makeHello(
  format: 'sslv2' | 'record',
  version: string,
  library: string,
): NonNullable<Closed['hello']> {
  return {
    format,
    version,
    fingerprint: { kind: format === 'sslv2' ? 'sslv2' : 'ja3', hash: '0'.repeat(32), text: '', short: '' },
    library,
    offers: { suites: [], more: 0, sslv2Kinds: 0 },
    needs: [...(format === 'sslv2' ? (['sslv2_hello'] as const) : []), ...(NEEDS_OF[version] ?? [])],
  };
}

const NEEDS_OF: Record<string, NonNullable<Closed['hello']>['needs']> = {
  SSLv3: ['sslv3'],
  TLSv1: ['tls1_0'],
  'TLSv1.2': ['static_rsa'],
};

/** Without any history, as after the first start. */
export async function startEmptyStatusFixture(): Promise<Fixture> {
  const board = new StatusBoard(limitText);
  const metrics = new Metrics();
  return serve(board, metrics, createLogChannel(board.receive, metrics.receive));
}

export async function startStatusFixture(): Promise<Fixture> {
  let clock = Date.now() - 90 * DAY_MS;
  const board = new StatusBoard(limitText, () => clock);
  const metrics = new Metrics();
  const channel = createLogChannel(board.receive, metrics.receive);
  tellConfiguration(channel);
  // A pattern without chance: fewer old hellos as the weeks go by, fewer at night.
  for (let hour = 0; hour < 90 * 24; hour++) {
    clock += HOUR_MS;
    const busy = 1 + Math.sin(((hour % 24) / 24) * 2 * Math.PI - 2);
    for (const [index, sender] of SENDERS.entries()) {
      const due = (hour * (index + 3)) % 7 < busy * 2 * (1 - (hour / (90 * 24)) * (index % 3) * 0.3);
      if (due) channel.log('connection_closed', sender);
    }
  }
  clock = Date.now();
  tellPresent(channel);
  return serve(board, metrics, channel);
}

async function serve(board: StatusBoard, metrics: Metrics, channel: LogChannel): Promise<Fixture> {
  const admin = { address: undefined, hostNames: ['status.example'], acknowledgeExposure: false };
  const sources = { board, metrics, assets: loadAssets(BUILT_PAGE), backends: { unready: () => [] } };
  const server = new AdminServer(admin, sources, MAX_ADMIN_CLIENTS);
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { channel, url: `http://127.0.0.1:${port}` };
}

const SENDERS: readonly Closed[] = [
  makeConnection('192.0.2.17', { smtp: { helo: 'sco1.warehouse.example' } }),
  makeConnection('198.51.100.4', {
    hello: makeHello('sslv2', 'SSLv3', 'JSSE 6'),
    tls: { path: 'engine', version: 'SSLv3', suite: 'RC4-MD5', keyExchange: 'RSA', resumed: true },
    smtp: { helo: 'billing.example' },
  }),
  makeConnection('198.51.100.77', {
    hello: makeHello('record', 'TLSv1', 'unknown'),
    tls: { path: 'engine', version: 'TLSv1', suite: 'DES-CBC3-SHA', keyExchange: 'RSA', resumed: false },
    smtp: { helo: 'scanner-3rd-floor' },
  }),
  makeConnection('2001:db8:40:1::25', {
    hello: makeHello('record', 'SSLv3', 'unknown'),
    tls: { path: 'engine', version: 'SSLv3', suite: 'DES-CBC3-SHA', keyExchange: 'RSA', resumed: false },
    smtp: { helo: 'ups-monitor.example' },
  }),
  makeConnection('203.0.113.60', {
    hello: makeHello('record', 'TLSv1.2', 'unknown'),
    tls: { path: 'native', version: 'TLSv1.2', suite: 'AES128-SHA', keyExchange: 'RSA', resumed: false },
    smtp: { helo: 'appliance.example' },
  }),
  makeConnection('203.0.113.9', {
    hello: makeHello('record', 'TLSv1.3', 'unknown'),
    tls: { path: 'native', version: 'TLSv1.3', suite: 'TLS_AES_256_GCM_SHA384', resumed: false },
    smtp: { helo: 'mail.new.example' },
  }),
];

function tellConfiguration({ log }: { readonly log: LogChannel['log'] }): void {
  log('started', { version: '0.1.0', node: 'v20.20.2', pid: 812 });
  log('configuration', {
    limits: {
      'max-connections': 2000,
      'max-connections-per-address': 50,
      'handshake-timeout': 30_000,
      'idle-timeout': 660_000,
      'starttls-suppress-for': 3_600_000,
    },
    backends: ['postfix 127.0.0.1:10025', 'exim 127.0.0.1:10026'],
  });
  const mx = { mode: 'starttls', backend: 'postfix' } as const;
  log('listening', { listener: 'mx', address: '::', port: 25, ...mx });
  log('listening', { listener: 'submissions', address: '::', port: 465, ...mx, mode: 'implicit' });
  const certificate = {
    issuer: 'C=US, O=Example CA, CN=R11',
    use: 'all',
    notBefore: '2026-01-01T00:00:00.000Z',
  } as const;
  log('certificate', {
    ...certificate,
    source: '/etc/oldhello/fullchain.pem',
    subject: 'CN=mx.example.com',
    keyAlgorithm: 'RSA2048',
    signatureAlgorithm: 'RSA-SHA256',
    notAfter: new Date(Date.now() + 61 * DAY_MS).toISOString(),
    daysLeft: 61,
  });
  log('certificate', {
    ...certificate,
    source: '/etc/oldhello/legacy.pem',
    subject: 'CN=mx.example.com',
    keyAlgorithm: 'RSA2048',
    signatureAlgorithm: 'RSA-SHA1',
    use: 'legacy',
    notAfter: new Date(Date.now() + 9 * DAY_MS).toISOString(),
    daysLeft: 9,
  });
}

const POSTFIX = { backend: 'postfix', address: '127.0.0.1:10025' };
const EXIM = { backend: 'exim', address: '127.0.0.1:10026' };

function tellPresent({ log }: { readonly log: LogChannel['log'] }): void {
  for (let made = 0; made < 40; made++) log('backend_connection', { ...POSTFIX, duration: 0.8 });
  log('backend_connection', { ...EXIM, duration: 10_000, failure: 'backend_connect_timeout' });
  log(
    'connection_closed',
    makeConnection('203.0.113.200', {
      hello: makeHello('record', 'SSLv3', 'unknown'),
      tls: undefined,
      smtp: { helo: 'forgotten.example' },
      outcome: 'handshake_refused',
      fault: 'client',
      reason: 'no_shared_version',
    }),
  );
  log('starttls_suppressed', {
    address: '203.0.113.200',
    failures: 5,
    fingerprint: '3a1c0a1e7c3f4bd0a6a9c0fbbf1c2d3e',
    reason: 'no_shared_cipher_suite',
    minutes: 60,
  });
  log(
    'connection_closed',
    makeConnection('192.0.2.99', {
      hello: undefined,
      tls: undefined,
      smtp: undefined,
      outcome: 'limit_exceeded',
      fault: 'proxy',
      reason: 'max-connections-per-address',
    }),
  );
  for (const [index, address] of ['192.0.2.17', '203.0.113.9', '2001:db8::5'].entries()) {
    log('connection_opened', {
      connection: `00000000000000a${index}`,
      listener: 'mx',
      client: { address, port: 1 },
      pid: 812,
    });
  }
  log('process_sample', {
    pid: 812,
    delayMedian: 0.1,
    delay99: 1.2,
    delayMax: 9.1,
    memory: 91_000_000,
    cpu: 12.5,
  });
}

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
