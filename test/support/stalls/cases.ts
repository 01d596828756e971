/** Every client that falls silent somewhere: each path with each stage, and what a backend's silence leads to. */
import type { ConnectionEvent } from '../../../src/observe/connection-record.js';
import type { SmtpClient } from '../smtp-client.js';
import { MODES, PATHS, STAGES, type BackendId, type Mode } from './stages.js';

export type Expected = Partial<Record<keyof ConnectionEvent, unknown>>;

export interface StallCase {
  readonly name: string;
  readonly backend: BackendId;
  readonly mode: Mode;
  /** From the connection to where nothing more comes. */
  readonly reach: (client: SmtpClient) => Promise<unknown>;
  /** What the log says when a timeout ends it. */
  readonly timeout: Expected;
  /** Whether the proxy has a connection to the backend then. */
  readonly atBackend: boolean;
  /** The backend owes a reply, so that the client's end in order goes to the backend and ends nothing here. */
  readonly owed?: boolean;
}

const NO_HELLO: Expected = { outcome: 'client_timeout', reason: 'waiting for client_hello' };
const NO_SECOND_FLIGHT: Expected = { outcome: 'client_timeout', reason: /^waiting for / };
const IDLE: Expected = { outcome: 'client_timeout', reason: 'idle' };
const BACKEND_SILENT: Expected = { outcome: 'backend_timeout', reason: 'backend_greeting_timeout' };

const TIMEOUTS: Readonly<Record<keyof typeof STAGES, Expected>> = {
  'before the hello': NO_HELLO,
  'in the hello': NO_HELLO,
  'after the hello': NO_SECOND_FLIGHT,
  'after the handshake': IDLE,
  'in DATA': IDLE,
};

const AFTER_HANDSHAKE: ReadonlySet<keyof typeof STAGES> = new Set(['after the handshake', 'in DATA']);

function silentClients(): StallCase[] {
  return keysOf(PATHS).flatMap((pathName) =>
    keysOf(STAGES).flatMap((stageName) =>
      MODES.map((mode) => {
        const path = PATHS[pathName];
        const passes = pathName.startsWith('passthrough') && stageName === 'after the hello';
        return {
          name: `${pathName}, ${mode}: ${stageName}`,
          backend: path.backend,
          mode,
          reach: (client) => STAGES[stageName](client, path, mode),
          // Once a hello is passed on, the proxy sees bytes only.
          timeout: passes ? IDLE : TIMEOUTS[stageName],
          // In a bridge the client's STARTTLS has gone to the backend.
          atBackend:
            passes || AFTER_HANDSHAKE.has(stageName) || (path.backend === 'bridged' && mode === 'starttls'),
        } satisfies StallCase;
      }),
    ),
  );
}

/** Where a client of STARTTLS meets the backend before TLS, it has nothing to say either. */
function silentBackends(): StallCase[] {
  const clients = ['engine, TLS 1.0 hello', 'native TLS 1.3'] as const;
  const beforeTls = (['no greeting', 'no reply to our EHLO'] as const).flatMap((backend) => [
    ...clients.map((client) => ({ backend, mode: 'implicit', client }) as const),
    { backend, mode: 'starttls', client: undefined } as const,
  ]);
  const inTls = (['no ServerHello', 'half a ServerHello'] as const).flatMap((backend) =>
    MODES.map((mode) => ({ backend, mode, client: clients[0] })),
  );
  return [...beforeTls, ...inTls].map(({ backend, mode, client }) => ({
    name: `${client ?? 'in clear'}, ${mode}: backend with ${backend}`,
    backend,
    mode,
    reach: async (connection) => {
      if (client !== undefined) await STAGES['after the handshake'](connection, PATHS[client], mode);
    },
    timeout: BACKEND_SILENT,
    atBackend: true,
  }));
}

/** Clients that are answered before there is a session with the backend. */
function learntClients(): StallCase[] {
  const greeted = async (client: SmtpClient): Promise<void> => {
    await client.reply();
    await client.command('EHLO client.example');
  };
  const silent = (['learnt, then no greeting', 'learnt, then no reply to EHLO'] as const).map((backend) => ({
    backend,
    reach: async (client: SmtpClient) => {
      await greeted(client);
      client.write('MAIL FROM:<a@a.example>\r\n');
    },
    timeout: BACKEND_SILENT,
    atBackend: true,
    owed: true,
  }));
  const idle = [
    { backend: 'learnt', reach: greeted, timeout: IDLE, atBackend: false, owed: false },
    {
      backend: 'learnt',
      reach: async (client: SmtpClient) => {
        await greeted(client);
        await client.command('MAIL FROM:<a@a.example>');
      },
      timeout: IDLE,
      atBackend: true,
      owed: false,
    },
  ] as const;
  return [...idle, ...silent].map((one) => {
    return { ...one, mode: 'starttls', name: `in clear, ${one.backend}: ${one.atBackend ? 'MAIL' : 'EHLO'}` };
  });
}

function keysOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[];
}

const CHOSEN = new RegExp(process.env['OLDHELLO_CASES'] ?? '');

/** OLDHELLO_CASES, a regular expression, chooses by name. */
export const STALL_CASES: readonly StallCase[] = [
  ...silentClients(),
  ...silentBackends(),
  ...learntClients(),
].filter(({ name }) => CHOSEN.test(name));
