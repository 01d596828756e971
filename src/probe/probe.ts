/** Pretends to be one client after the other, each on a connection of its own, and hears what the server says. */
import { connect, type Socket } from 'node:net';
import { sanitizePeerText } from '../observe/sanitize.js';
import { STARTTLS_FAILURES, StarttlsDialogue } from '../smtp/starttls-dialogue.js';
import { ProtocolVersion, Writer, type ProtocolVersionName } from '../tls/index.js';
import { FirstFlight } from './first-flight.js';
import { buildHello } from './hello-builder.js';
import { PROBED_CLIENTS, type ProbedClientCode } from './old-clients.js';

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  readonly mode: 'starttls' | 'implicit';
}

export interface ProbeResult {
  readonly client: ProbedClientCode;
  readonly outcome:
    | 'served'
    /** By an alert. */
    | 'refused'
    /** The server closed without a word. */
    | 'closed'
    | 'timeout'
    /** What it answered is not TLS. */
    | 'not_tls'
    /** It did not come as far as TLS. */
    | 'no_tls';
  readonly version?: string;
  readonly suite?: string;
  readonly alert?: string;
  /** In words, the server's own escaped. */
  readonly detail?: string;
}

/**
 * Probes with every client there is.
 * @param timeout milliseconds for each connection
 * @throws system errors, where the server cannot be reached at all
 */
export async function probe(target: ProbeTarget, timeout: number = TIMEOUT): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  for (const client of Object.keys(PROBED_CLIENTS) as ProbedClientCode[]) {
    results.push(await probeAs(client, target, timeout));
  }
  return results;
}

function probeAs(client: ProbedClientCode, target: ProbeTarget, timeout: number): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    const { host, port } = target;
    const socket = connect({ host, port });
    const flight = new FirstFlight();
    let connected = false;
    let received = 0;
    let phase: 'smtp' | 'tls' = target.mode === 'starttls' ? 'smtp' : 'tls';
    const finish = (result: Omit<ProbeResult, 'client'>): void => {
      clearTimeout(timer);
      socket.destroySoon();
      resolve({ client, ...result });
    };
    const ended = (): void => {
      if (phase === 'smtp') finish({ outcome: 'no_tls', detail: 'the server closed before TLS' });
      else finish({ outcome: 'closed', ...flight.tls });
    };
    const timer = setTimeout(() => {
      if (connected)
        finish({ outcome: 'timeout', detail: `waiting for ${phase === 'smtp' ? 'SMTP' : 'TLS'}` });
      else socket.destroy(Object.assign(new Error(`connect ETIMEDOUT ${host}:${port}`), ETIMEDOUT));
    }, timeout);
    const startTls = (): void => {
      phase = 'tls';
      socket.write(buildHello(PROBED_CLIENTS[client].hello(host)));
    };
    const dialogue = smtpDialogue(socket, startTls, (detail) => finish({ outcome: 'no_tls', detail }));
    socket.once('connect', () => {
      connected = true;
      if (phase === 'tls') startTls();
    });
    socket.on('data', (bytes) => {
      received += bytes.length;
      if (received > MAX_RECEIVED) {
        finish({ outcome: 'not_tls', detail: 'the server sends more than any handshake has' });
      } else if (phase === 'smtp') {
        dialogue.fromBackend(bytes);
      } else {
        const answer = flight.push(bytes);
        if (answer === undefined) return;
        if (answer.kind === 'served') {
          socket.write(userCanceled(answer.tls.version));
          finish({ outcome: 'served', ...answer.tls });
        } else if (answer.kind === 'refused')
          finish({ outcome: 'refused', alert: answer.alert, ...flight.tls });
        else finish({ outcome: 'not_tls' });
      }
    });
    socket.once('end', ended);
    socket.on('error', (error) => {
      clearTimeout(timer);
      if (connected) ended();
      else reject(error);
    });
  });
}

function smtpDialogue(socket: Socket, ready: () => void, failed: (why: string) => void): StarttlsDialogue {
  return new StarttlsDialogue(HELO_NAME, {
    toBackend: (bytes) => void socket.write(bytes),
    ready,
    rejected: (greeting) =>
      failed(`the server greeted with ${sanitizePeerText(greeting.toString('latin1').trim())}`),
    failed: (reason, detail) => {
      const meaning = STARTTLS_FAILURES[reason].replace('backend', 'server');
      failed(detail === '' ? meaning : `${meaning}: ${sanitizePeerText(detail)}`);
    },
  });
}

/** RFC 5246, 7.2.2: we had what we came for; servers that count failures need not count this one. */
function userCanceled(agreed: string): Buffer {
  const version = Object.hasOwn(ProtocolVersion, agreed)
    ? ProtocolVersion[agreed as ProtocolVersionName]
    : ProtocolVersion['TLSv1.2'];
  return new Writer().u8(ALERT).u16(version).u16(2).u8(FATAL).u8(USER_CANCELED).done();
}

const ALERT = 21;
const FATAL = 2;
const USER_CANCELED = 90;
const ETIMEDOUT = { code: 'ETIMEDOUT', syscall: 'connect' };
/** What we call ourselves: a name that nobody has (RFC 2606, 2). */
const HELO_NAME = 'probe.invalid';
/** Milliseconds for a connection; servers that make strangers wait for their greeting do so for a few seconds. */
const TIMEOUT = 20_000;
/** Bytes: the longest replies of SMTP and the longest flight together. */
const MAX_RECEIVED = 1 << 19;
