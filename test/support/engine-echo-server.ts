/** The engine on a bare socket, for peers that drive it directly: what comes in goes back. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import {
  performPrivateKeyOperation,
  ServerConnection,
  SessionCache,
  TICKET_KEY_LENGTH,
  TicketKeys,
  type ClientHello,
  type ConnectionOutput,
  type Established,
  type Outcome,
  type ServerParameters,
} from '../../src/tls/index.js';
import { ECDSA, EVERYTHING, RSA, type Held } from './test-server.js';

/** What is to happen on one connection once it is established. */
export interface Exchange {
  /** Bytes, each way. */
  readonly size: number;
  readonly closer: 'client' | 'server';
}

export interface EngineConnection {
  readonly exchange: Exchange | undefined;
  hello: ClientHello | undefined;
  established: Established | undefined;
  /** How it ended: `closed by client`, or the reason of a refusal. */
  end: string | undefined;
  /** Of application data that came. */
  bytes: number;
}

export interface EngineEchoServer {
  readonly port: number;
  /** What the next connections are for, in their order; of further ones nothing is expected. */
  expect(exchanges: readonly Exchange[]): void;
  /** Those that said anything and ended since the last call; waits until none is open. */
  takeConnections(): Promise<EngineConnection[]>;
  close(): void;
}

export interface EngineEchoOptions {
  /** As far as they differ from everything allowed. */
  readonly parameters?: Partial<ServerParameters>;
  readonly held?: readonly Held[];
}

export async function startEngineEchoServer({
  parameters = {},
  held = [RSA, ECDSA],
}: EngineEchoOptions = {}): Promise<EngineEchoServer> {
  const sessions = new SessionCache(1000, 3_600_000, () => performance.now());
  const tickets = new TicketKeys(
    3600,
    () => Math.floor(Date.now() / 1000),
    (length) => EVERYTHING.random(length),
  );
  tickets.setKeys([EVERYTHING.random(TICKET_KEY_LENGTH)]);
  const credentials = held.map(({ credential }) => credential);
  let connections: EngineConnection[] = [];
  let exchanges: Exchange[] = [];
  let open = 0;
  let noneOpen = (): void => undefined;

  const effects = (
    socket: Socket,
    seen: EngineConnection,
    connection: () => ServerConnection,
  ): ConnectionOutput => ({
    transmit: (bytes) => {
      if (!socket.write(bytes)) socket.pause();
    },
    deliver: (plaintext) => {
      seen.bytes += plaintext.length;
      connection().send(plaintext);
      if (seen.exchange?.closer === 'server' && seen.bytes === seen.exchange.size) connection().close();
    },
    operate: (operation) => {
      if (operation.kind === 'find_session') {
        connection().complete(sessions.find(operation.sessionId));
        return;
      }
      const { key } = held.find(({ credential }) => credential === operation.credential)!;
      connection().complete(performPrivateKeyOperation(operation, key));
    },
    established: (established) => (seen.established = established),
    saveSession: (id, session) => sessions.save(id, session),
    forgetSession: (id) => sessions.forget(id),
    ended: (outcome) => {
      seen.end = describe(outcome);
      socket.end(outcome.finalBytes);
      // A socket that has ended drains without saying so.
      socket.resume();
    },
  });

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    open += 1;
    let seen: EngineConnection | undefined;
    let connection: ServerConnection | undefined;
    socket.on('data', (bytes) => {
      if (seen === undefined) {
        seen = {
          exchange: exchanges.shift(),
          hello: undefined,
          established: undefined,
          end: undefined,
          bytes: 0,
        };
        connections.push(seen);
      }
      connection ??= new ServerConnection(
        { ...EVERYTHING, tickets, credentials, ...parameters },
        effects(socket, seen, () => connection!),
      );
      connection.receive(bytes);
      seen.hello ??= connection.clientHello;
    });
    socket.on('drain', () => socket.resume());
    socket.on('end', () => {
      connection?.abandon();
      socket.end();
    });
    socket.on('error', () => connection?.abandon());
    socket.on('close', () => {
      open -= 1;
      if (open === 0) noneOpen();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    expect(next) {
      exchanges = [...next];
    },
    async takeConnections() {
      if (open > 0) await new Promise<void>((resolve) => (noneOpen = resolve));
      const taken = connections;
      connections = [];
      return taken;
    },
    close: () => server.close(),
  };
}

function describe(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'refused':
      return outcome.error.reason;
    case 'closed':
      return `closed by ${outcome.by}`;
    case 'peer_alert':
      return `alert ${outcome.alert}`;
    default:
      return outcome.kind;
  }
}
