/**
 * A client whose whole behaviour is a string of bytes, so that damaging the string is damaging the behaviour: what it
 * offers, then one byte an action with what the action needs behind it. Any bytes are a script.
 */
import type { SessionCache, TicketKeys } from '../../src/tls/index.js';
import { TestClient, vector16, type HelloOptions } from './test-client.js';
import type { TestServer } from './test-server.js';

/** What a client may come back with. */
export interface Past {
  readonly sessionId: Buffer;
  readonly masterSecret: Buffer;
  readonly ticket: Buffer;
}

const extension = (type: number, hex: string) => [type, Buffer.from(hex, 'hex')] as const;
const GROUPS = [10, vector16(Buffer.from('001d00170018', 'hex'))] as const;
const SIGNATURES = [13, vector16(Buffer.from('040104030201', 'hex'))] as const;
const ETM = extension(22, '');
const EMS = extension(23, '');

const OFFERS: readonly ((past: Past) => HelloOptions)[] = [
  () => ({ format: 'sslv2', version: 0x0300, suites: [0x04, 0x010080, 0xff] }),
  () => ({ format: 'sslv2', version: 0x0303, suites: [0x2f] }),
  () => ({ version: 0x0300, suites: [0x0a] }),
  () => ({ version: 0x0301, suites: [0x0a, 0x05] }),
  () => ({ version: 0x0302, suites: [0x33] }),
  () => ({ version: 0x0303, suites: [0x9c], extensions: [EMS, extension(1, '01')] }),
  () => ({ version: 0x0303, suites: [0xc02f, 0xc02b], extensions: [GROUPS, SIGNATURES, extension(35, '')] }),
  () => ({ version: 0x0303, suites: [0xcca8], extensions: [GROUPS, SIGNATURES, EMS] }),
  () => ({ version: 0x0303, suites: [0x3c], extensions: [ETM] }),
  () => ({ version: 0x0301, suites: [0xc014], extensions: [GROUPS, ETM, EMS] }),
  ({ sessionId }) => ({ version: 0x0301, suites: [0x2f], sessionId }),
  ({ ticket }) => ({ version: 0x0301, suites: [0x2f], extensions: [[35, ticket]] }),
];

interface Stage {
  readonly client: TestClient;
  readonly server: TestServer;
  /** The next byte of the script; zero behind its end. */
  readonly byte: () => number;
  /** As many of the next bytes as a byte in front of them says. */
  readonly bytes: () => Buffer;
  /** Bytes a piece, for everything that is sent from here on. */
  pieces: number;
  last: Buffer;
}

/** Overwrites one byte, where the script says, with what the script says. */
function edited(bytes: Buffer, { byte }: Stage): Buffer {
  const changed = Buffer.from(bytes);
  if (changed.length > 0) changed[(byte() * 256 + byte()) % changed.length] = byte();
  return changed;
}

/** Each gives the bytes to send, if any. */
const ACTIONS: readonly ((stage: Stage) => Buffer | undefined)[] = [
  ({ client }) => client.hello(),
  (stage) => edited(stage.client.hello(), stage),
  ({ client }) => client.send(16, client.clientKeyExchange()),
  (stage) => stage.client.send(16, edited(stage.client.clientKeyExchange(), stage)),
  ({ client }) => {
    const record = client.changeCipherSpec();
    client.protectWrites();
    return record;
  },
  ({ client, bytes }) => client.seal(20, bytes()),
  ({ client }) => client.finished(),
  (stage) => stage.client.send(20, edited(Buffer.alloc(12), stage)),
  ({ client, byte, bytes }) => client.send(byte(), bytes()),
  ({ client, byte, bytes }) => client.seal(byte(), bytes()),
  ({ bytes }) => bytes(),
  ({ client, byte }) => client.seal(23, Buffer.alloc(byte() * 256)),
  ({ client, byte, bytes }) => {
    const [count, type, content] = [byte(), byte(), bytes()];
    return Buffer.concat(Array.from({ length: count }, () => client.seal(type, content)));
  },
  (stage) => edited(stage.last, stage),
  (stage) => {
    stage.pieces = stage.byte() + 1;
    return undefined;
  },
];

/** What the host may do meanwhile. */
const HOST_ACTIONS: readonly ((stage: Stage) => void)[] = [
  ({ server, byte }) => {
    if (server.connection.state === 'established') server.connection.send(Buffer.alloc(byte() * 256));
  },
  ({ server }) => server.connection.close(),
];

/** Scripts of clients that do everything right: each offer, a handshake, some data, and a close. */
export const RIGHT_SCRIPTS: readonly Buffer[] = OFFERS.map((_, offer) => {
  const resumes = offer >= OFFERS.length - 2;
  const handshake = resumes ? [0, 4, 6] : [0, 2, 4, 6];
  return Buffer.from([offer, ...handshake, 11, 1, 15, 3, 9, 21, 2, 1, 0]);
});

/** A session and a ticket for what the last two offers say. */
export function makePast(sessions: SessionCache, tickets: TicketKeys): Past {
  const session = {
    version: 0x0301,
    cipherSuite: 0x2f,
    masterSecret: Buffer.alloc(48, 5),
    extendedMasterSecret: false,
    encryptThenMac: false,
    maxFragmentLength: undefined,
    serverName: undefined,
    context: 'test',
  } as const;
  const past = {
    sessionId: Buffer.alloc(32, 6),
    masterSecret: Buffer.from(session.masterSecret),
    ticket: tickets.protect(session)!,
  };
  sessions.save(past.sessionId, session);
  return past;
}

export function play(script: Buffer, server: TestServer, past: Past): void {
  let at = 0;
  const byte = (): number => (at < script.length ? script[at++]! : 0);
  const client = new TestClient(OFFERS[byte() % OFFERS.length]!(past));
  client.resume(past.masterSecret);
  const stage: Stage = {
    client,
    server,
    byte,
    bytes: () => {
      const length = byte();
      return Buffer.from(script.subarray(at, (at += length)));
    },
    pieces: Infinity,
    last: Buffer.alloc(0),
  };
  while (at < script.length) {
    const choice = byte() % (ACTIONS.length + HOST_ACTIONS.length);
    HOST_ACTIONS[choice - ACTIONS.length]?.(stage);
    const bytes = unlessLost(() => ACTIONS[choice]?.(stage));
    if (bytes !== undefined) {
      stage.last = bytes;
      for (let from = 0; from < bytes.length; from += stage.pieces) {
        server.receive(bytes.subarray(from, from + stage.pieces));
      }
    }
    const answer = server.take();
    unlessLost(() => client.receive(answer));
  }
}

/** A client that did what it should not may not be able to go on; that is no fault of the server's. */
function unlessLost<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
