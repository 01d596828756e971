/** A gate between a client and a backend that exist only as strings. */
import type { GateRefusal } from '../../src/smtp/gate-refusals.js';
import { Gate } from '../../src/smtp/gate.js';
import type { GateOptions } from '../../src/smtp/gate-options.js';

const STANDARD: GateOptions = {
  hostname: 'proxy.example',
  starttls: 'offer',
  greeting: 'relay',
  auth: 'offer',
  bareLf: 'accept',
};

export class GateRig {
  readonly gate: Gate;
  /** Everything the client was sent. */
  toClient = '';
  /** Everything the backend was sent. */
  toBackend = '';
  /** Whether another handshake may begin now. */
  mayStartTls = true;
  /** How often the backend did not want TLS. */
  declined = 0;
  /** Whether a transaction began that the gate goes on reading. */
  mailBegan = false;
  ended: 'start_tls' | 'pass_through' | GateRefusal | undefined;

  /** @param backend gets what the backend is sent */
  constructor(options: Partial<GateOptions> = {}, backend: (bytes: Buffer) => void = () => undefined) {
    this.gate = new Gate(
      { ...STANDARD, ...options },
      {
        toClient: (bytes) => (this.toClient += bytes.toString('latin1')),
        toBackend: (bytes) => {
          this.toBackend += bytes.toString('latin1');
          backend(bytes);
        },
        replied: () => undefined,
        mayStartTls: () => this.mayStartTls,
        starttlsDeclined: () => (this.declined += 1),
        startTls: () => this.#end('start_tls'),
        passThrough: () => this.#end('pass_through'),
        mailBegins: () => (this.mailBegan = true),
        refuse: (reason) => this.#end(reason),
      },
    );
  }

  client(text: string): this {
    this.gate.fromClient(Buffer.from(text, 'latin1'));
    return this;
  }

  backend(text: string): this {
    this.gate.fromBackend(Buffer.from(text, 'latin1'));
    return this;
  }

  /** Greeting, EHLO and its reply, all seen by both and then forgotten. */
  greeted(keywords: readonly string[] = ['PIPELINING']): this {
    if (!this.gate.greeted) this.backend('220 mta.example\r\n');
    this.client('EHLO client.example\r\n');
    const lines = ['mta.example', ...keywords];
    this.backend(
      lines.map((line, index) => `250${index < lines.length - 1 ? '-' : ' '}${line}\r\n`).join(''),
    );
    return this.forget();
  }

  forget(): this {
    this.toClient = '';
    this.toBackend = '';
    return this;
  }

  #end(how: NonNullable<GateRig['ended']>): void {
    if (this.ended !== undefined) throw new Error(`${how} after ${this.ended}`);
    this.ended = how;
  }
}

/** All ways to cut a text into two, and the one into single bytes. */
export function* cuts(text: string): Generator<readonly string[]> {
  for (let at = 0; at <= text.length; at += 1) yield [text.slice(0, at), text.slice(at)];
  yield Array.from(text);
}
