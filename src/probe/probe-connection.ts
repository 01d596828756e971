/** One connection of a probe: SMTP up to STARTTLS unless TLS comes first, then one ClientHello and the answer. */
import { connect, type Socket } from 'node:net';
import { sanitizePeerText } from '../observe/sanitize.js';
import { STARTTLS_FAILURES, StarttlsDialogue, type StarttlsFailure } from '../smtp/starttls-dialogue.js';
import { ProtocolVersion, type ProtocolVersionName } from '../tls/index.js';
import { AlertDescription, AlertLevel, ContentType, Writer } from '../tls/wire-format.js';
import { FirstFlight } from './first-flight.js';
import { buildHello } from './hello-builder.js';
import { notTls, obstacle, unreachable, type Obstacle, type ObstacleReason } from './obstacle.js';
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
    /** With an alert. */
    | 'refused'
    /** The server closed the connection without an alert. */
    | 'closed'
    | 'timeout';
  readonly version?: string;
  readonly suite?: string;
  readonly alert?: string;
}

export interface ProbeTimeouts {
  readonly connectMs: number;
  readonly greetingMs: number;
  readonly answerMs: number;
}

/** @returns an obstacle if the connection did not reach TLS */
export function probeAs(
  client: ProbedClientCode,
  target: ProbeTarget,
  timeouts: ProbeTimeouts,
): Promise<ProbeResult | Obstacle> {
  return new Promise((resolve) => {
    new ProbeConnection(client, target, timeouts, resolve);
  });
}

class ProbeConnection {
  readonly #client: ProbedClientCode;
  readonly #target: ProbeTarget;
  readonly #timeouts: ProbeTimeouts;
  readonly #done: (result: ProbeResult | Obstacle) => void;
  readonly #socket: Socket;
  readonly #flight = new FirstFlight();
  #phase: 'connecting' | 'greeting' | 'smtp' | 'tls' | 'done' = 'connecting';
  #timer: NodeJS.Timeout | undefined;
  #received = 0;

  constructor(
    client: ProbedClientCode,
    target: ProbeTarget,
    timeouts: ProbeTimeouts,
    done: (result: ProbeResult | Obstacle) => void,
  ) {
    this.#client = client;
    this.#target = target;
    this.#timeouts = timeouts;
    this.#done = done;
    const { host, port, mode } = target;
    this.#socket = connect({ host, port });
    const dialogue = this.#newDialogue();
    this.#enter('connecting', timeouts.connectMs);
    this.#socket.once('connect', () => {
      if (mode === 'starttls') this.#enter('greeting', timeouts.greetingMs);
      else this.#sendHello();
    });
    this.#socket.on('data', (bytes) => this.#receive(bytes, dialogue));
    this.#socket.once('end', () => this.#ended());
    this.#socket.on('error', (error) => {
      if (this.#phase === 'connecting') this.#finish(unreachable(host, port, error));
      else this.#ended();
    });
  }

  #enter(phase: 'connecting' | 'greeting' | 'smtp' | 'tls', timeoutMs: number): void {
    this.#phase = phase;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#timedOut(), timeoutMs);
  }

  #finish(result: ProbeResult | Obstacle): void {
    if (this.#phase === 'done') return;
    this.#phase = 'done';
    clearTimeout(this.#timer);
    this.#socket.destroySoon();
    this.#done(result);
  }

  #finishTls(result: Omit<ProbeResult, 'client'>): void {
    this.#finish({ client: this.#client, ...result });
  }

  #sendHello(): void {
    this.#enter('tls', this.#timeouts.answerMs);
    this.#socket.write(buildHello(PROBED_CLIENTS[this.#client].hello(this.#target.host)));
  }

  #receive(bytes: Buffer, dialogue: StarttlsDialogue): void {
    this.#received += bytes.length;
    if (this.#received > MAX_RECEIVED_BYTES) {
      this.#finish(obstacle('not_tls', 'it sends more bytes than any handshake has'));
    } else if (this.#phase === 'tls') this.#receiveTls(bytes);
    else if (this.#phase !== 'done') {
      if (this.#phase === 'greeting') this.#enter('smtp', this.#timeouts.answerMs);
      dialogue.fromBackend(bytes);
    }
  }

  #receiveTls(bytes: Buffer): void {
    const answer = this.#flight.push(bytes);
    if (answer === undefined) return;
    if (answer.kind === 'served') {
      this.#socket.write(userCanceled(answer.tls.version));
      this.#finishTls({ outcome: 'served', ...answer.tls });
    } else if (answer.kind === 'refused') {
      this.#finishTls({ outcome: 'refused', alert: answer.alert, ...this.#flight.tls });
    } else this.#finish(notTls(bytes));
  }

  #newDialogue(): StarttlsDialogue {
    return new StarttlsDialogue(HELO_NAME, {
      toBackend: (bytes) => void this.#socket.write(bytes),
      ready: () => this.#sendHello(),
      rejected: (greeting) => {
        const text = sanitizePeerText(greeting.toString('latin1').trim());
        this.#finish(obstacle('greeting_refused', `it greets with "${text}"`));
      },
      failed: (reason, detail) => {
        const meaning = STARTTLS_FAILURES[reason].replace('the backend', 'the server');
        const seen = detail === '' ? meaning : `${meaning}: "${sanitizePeerText(detail)}"`;
        this.#finish(obstacle(DIALOGUE_OBSTACLES[reason], seen));
      },
    });
  }

  #timedOut(): void {
    const { host, port } = this.#target;
    switch (this.#phase) {
      case 'connecting':
        this.#finish(unreachable(host, port, Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
        return;
      case 'greeting':
        this.#finish(
          obstacle('no_greeting', `it sends no greeting within ${this.#timeouts.greetingMs / 1000} s`),
        );
        return;
      case 'smtp':
        this.#finish(obstacle('starttls_failed', 'it stops answering before STARTTLS'));
        return;
      case 'tls':
        this.#finishTls({ outcome: 'timeout', ...this.#flight.tls });
        return;
      case 'done':
    }
  }

  #ended(): void {
    if (this.#phase === 'tls') this.#finishTls({ outcome: 'closed', ...this.#flight.tls });
    else this.#finish(obstacle('closed_early', 'it closes the connection before TLS'));
  }
}

/** Ends the handshake. RFC 5246, 7.2.2: with user_canceled, the server need not count it as a failure. */
function userCanceled(agreed: string): Buffer {
  const version = Object.hasOwn(ProtocolVersion, agreed)
    ? ProtocolVersion[agreed as ProtocolVersionName]
    : ProtocolVersion['TLSv1.2'];
  return new Writer()
    .u8(ContentType.alert)
    .u16(version)
    .vector16((w) => w.u8(AlertLevel.fatal).u8(AlertDescription.user_canceled))
    .done();
}

const DIALOGUE_OBSTACLES: Readonly<Record<StarttlsFailure, ObstacleReason>> = {
  backend_no_starttls: 'no_starttls',
  backend_starttls_refused: 'starttls_failed',
  backend_early_bytes: 'starttls_failed',
  backend_ehlo_refused: 'greeting_refused',
  backend_reply_broken: 'not_smtp',
};
/** A name that cannot exist (RFC 2606, 2). */
const HELO_NAME = 'probe.invalid';
/** The longest replies of SMTP and the longest flight together. */
const MAX_RECEIVED_BYTES = 1 << 19;
