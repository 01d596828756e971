/**
 * The rows of the tables: how a client is served (paths), how far it comes before it falls silent (stages), and what the
 * backend behind the proxy does.
 */
import { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { SmtpClient } from '../smtp-client.js';
import { TestClient, type HelloOptions } from '../test-client.js';
import type { BackendBehaviour } from './backend.js';

export const MODES = ['starttls', 'implicit', 'tcp'] as const;
export type Mode = (typeof MODES)[number];

export interface BackendRow {
  readonly behaviour: Readonly<Record<Mode, BackendBehaviour>>;
  readonly identity: 'proxy-v1' | 'xclient';
  /** Of its [[backend]]. */
  readonly tls: 'none' | 'bridge';
  /** Clients are answered from what health checks learnt. */
  readonly learnt?: true;
}

function plain(silent?: BackendBehaviour['silent']): Pick<BackendRow, 'behaviour' | 'tls'> {
  const behaviour = { tls: 'none', silent } as const;
  return { behaviour: { starttls: behaviour, implicit: behaviour, tcp: behaviour }, tls: 'none' };
}

function bridged(silent?: BackendBehaviour['silent']): Pick<BackendRow, 'behaviour' | 'tls'> {
  const implicit = { tls: 'implicit', silent } as const;
  return { behaviour: { starttls: { tls: 'starttls', silent }, implicit, tcp: implicit }, tls: 'bridge' };
}

/** Each is one [[backend]] for each mode that it can have, with a listener of that mode in front of it. */
export const BACKENDS = {
  plain: { ...plain(), identity: 'proxy-v1' },
  learnt: { ...plain(), identity: 'proxy-v1', learnt: true },
  'learnt, then no greeting': { ...plain('greeting'), identity: 'proxy-v1', learnt: true },
  'learnt, then no reply to EHLO': { ...plain('EHLO'), identity: 'proxy-v1', learnt: true },
  bridged: { ...bridged(), identity: 'proxy-v1' },
  'no greeting': { ...plain('greeting'), identity: 'proxy-v1' },
  'no reply to our EHLO': { ...plain('EHLO'), identity: 'xclient' },
  'no ServerHello': { ...bridged('TLS'), identity: 'proxy-v1' },
  'half a ServerHello': { ...bridged('ServerHello'), identity: 'proxy-v1' },
} as const satisfies Record<string, BackendRow>;

export type BackendId = keyof typeof BACKENDS;

export interface Path {
  readonly backend: BackendId;
  /** The bytes that a client of this kind begins TLS with. */
  readonly hello: Buffer;
  readonly secure: (client: SmtpClient) => Promise<unknown>;
}

function old(backend: BackendId, options: HelloOptions): Path {
  return {
    backend,
    hello: new TestClient(options).hello(),
    secure: (client) => client.secureLikeOld(options),
  };
}

async function modern(backend: BackendId, options: ConnectionOptions): Promise<Path> {
  return { backend, hello: await firstFlight(options), secure: (client) => client.secure(options) };
}

/** What Node's TLS sends first. */
function firstFlight(options: ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const write = (bytes: Buffer): void => resolve(bytes);
    const wire = new Duplex({ read: () => undefined, write });
    connectTls({ ...options, socket: wire, rejectUnauthorized: false }).on('error', () => undefined);
  });
}

const SSLV2_FORMAT: HelloOptions = { format: 'sslv2', version: 0x0301, suites: [0x002f] };
const TLS_1_0: HelloOptions = { version: 0x0301, suites: [0x002f] };
const TLS_1_2: ConnectionOptions = { maxVersion: 'TLSv1.2' };
const TLS_1_3: ConnectionOptions = { minVersion: 'TLSv1.3' };

export const PATHS = {
  'engine, SSLv2-format hello': old('plain', SSLV2_FORMAT),
  'engine, TLS 1.0 hello': old('plain', TLS_1_0),
  'native TLS 1.2': await modern('plain', TLS_1_2),
  'native TLS 1.3': await modern('plain', TLS_1_3),
  'passthrough, TLS 1.2': await modern('bridged', TLS_1_2),
  'passthrough, TLS 1.3': await modern('bridged', TLS_1_3),
  'engine, backend learnt': old('learnt', TLS_1_0),
  'engine, then TLS of the backend': old('bridged', TLS_1_0),
} as const satisfies Record<string, Path>;

export type Advance = (client: SmtpClient, path: Path, mode: Mode) => Promise<unknown>;

async function succeed(client: SmtpClient, command: string): Promise<void> {
  const reply = await client.command(command);
  if (!/^[23]/.test(reply)) throw new Error(`${command}: ${reply}`);
}

/** As far as TLS could begin. */
const beforeHello: Advance = async (client, _, mode) => {
  if (mode !== 'starttls') return;
  await client.reply();
  await succeed(client, 'EHLO client.example');
  await succeed(client, 'STARTTLS');
};

const secured: Advance = async (client, path, mode) => {
  await beforeHello(client, path, mode);
  await path.secure(client);
};

/** Each leads there from the connection. */
export const STAGES = {
  'before the hello': beforeHello,
  'in the hello': async (client, path, mode) => {
    await beforeHello(client, path, mode);
    client.send(path.hello.subarray(0, path.hello.length / 2));
  },
  'after the hello': async (client, path, mode) => {
    await beforeHello(client, path, mode);
    client.send(path.hello);
  },
  'after the handshake': secured,
  'in DATA': async (client, path, mode) => {
    await secured(client, path, mode);
    if (mode !== 'starttls') await client.reply();
    for (const line of ['EHLO client.example', 'MAIL FROM:<a@a.example>', 'RCPT TO:<b@b.example>', 'DATA']) {
      await succeed(client, line);
    }
    client.write('Subject: half a message\r\n\r\nthat never ends\r\n');
  },
} as const satisfies Record<string, Advance>;
