/** What a client sends: SMTP commands in clear up to STARTTLS, or TLS from the first byte. */
import { Acceptor, type Accepted, type ClientHello } from '../../tls/index.js';
import { ContentType } from '../../tls/wire-format.js';
import type { NotTls } from '../explain.js';
import { endOfLine, MAX_CLEAR_BYTES } from './clear-text.js';
import { RecordScan } from './record-scan.js';

type Stage = 'commands' | 'hello' | 'records' | 'ignored';

export class ClientSide {
  readonly records = new RecordScan();
  #stage: Stage = 'commands';
  #line = '';
  /** Bytes of commands so far. */
  #clearBytes = 0;
  #acceptor: Acceptor | undefined;
  /** Nothing has come yet: TLS may begin at once. */
  #isFirst = true;
  /** Bytes are missing from here on. */
  hasGap = false;
  helo: string | undefined;
  /** What came where TLS begins. */
  accepted: Accepted | undefined;
  askedForTls = false;
  /** A command followed STARTTLS: the server refused it. */
  wentOnInClear = false;
  /** DATA or BDAT in clear: no TLS will follow. */
  sentMailInClear = false;

  get hello(): ClientHello | undefined {
    return this.accepted?.kind === 'client_hello' ? this.accepted.hello : undefined;
  }

  /** Why the hello cannot be read: a reason of the engine's table. */
  get unreadable(): string | undefined {
    return this.accepted?.kind === 'malformed' ? this.accepted.error.reason : undefined;
  }

  /** What began where TLS should, and was none. */
  get notTls(): NotTls | undefined {
    const kind = this.accepted?.kind;
    switch (kind) {
      case undefined:
      case 'client_hello':
      case 'malformed':
      case 'alert':
        return undefined;
      default:
        return kind;
    }
  }

  /** Bytes of a hello whose end has not come. */
  get isInHello(): boolean {
    return this.#stage === 'hello';
  }

  receive(bytes: Buffer): void {
    let rest = bytes;
    if (this.#stage === 'commands') rest = this.#readCommands(rest);
    if (this.#stage === 'hello' && rest.length > 0) rest = this.#readHello(rest);
    if (this.#stage === 'records') this.records.push(rest);
  }

  gap(): void {
    this.hasGap = true;
    this.#stage = 'ignored';
  }

  /** @returns what follows the commands, once TLS begins */
  #readCommands(bytes: Buffer): Buffer {
    const end = Math.min(bytes.length, MAX_CLEAR_BYTES - this.#clearBytes);
    for (let at = 0; at < end;) {
      if (this.#line === '' && this.#mayBeginTls(bytes[at]!)) {
        this.#stage = 'hello';
        this.#acceptor = new Acceptor();
        return bytes.subarray(at);
      }
      this.#isFirst = false;
      const lineEnd = endOfLine(bytes, at, end);
      if (lineEnd > at && this.#line.length < MAX_LINE_CHARACTERS)
        this.#line += bytes.toString('latin1', at, lineEnd);
      if (lineEnd < end) this.#command(this.#line.trim());
      if (this.#stage !== 'commands') return NOTHING;
      at = lineEnd + 1;
    }
    this.#clearBytes += end;
    if (this.#clearBytes === MAX_CLEAR_BYTES) this.#stage = 'ignored';
    return NOTHING;
  }

  /** A handshake record, or the length of an SSLv2-format hello, which no command begins with. */
  #mayBeginTls(first: number): boolean {
    return (this.#isFirst || this.askedForTls) && (first === ContentType.handshake || first >= 0x80);
  }

  #command(line: string): void {
    this.#line = '';
    this.wentOnInClear ||= this.askedForTls;
    if (line.length < MIN_VERB_CHARACTERS) return;
    const [verb = '', argument] = line.split(' ', 2);
    switch (verb.toUpperCase()) {
      case 'EHLO':
      case 'HELO':
      case 'LHLO':
        this.helo = argument ?? '';
        break;
      case 'STARTTLS':
        this.askedForTls = true;
        break;
      case 'PROXY':
        // The header of a load balancer in front: what follows is the client's beginning.
        this.#isFirst = true;
        break;
      case 'DATA':
      case 'BDAT':
        this.sentMailInClear = true;
        this.#stage = 'ignored';
        break;
      default:
    }
  }

  /** @returns what follows the hello */
  #readHello(bytes: Buffer): Buffer {
    // The acceptor owns what it is given.
    const accepted = this.#acceptor!.push(Buffer.from(bytes));
    if (accepted === undefined) return NOTHING;
    this.#acceptor = undefined;
    this.accepted = accepted;
    this.#stage = accepted.kind === 'client_hello' ? 'records' : 'ignored';
    return accepted.kind === 'client_hello' ? accepted.rest : NOTHING;
  }
}

const NOTHING = Buffer.alloc(0);
/** More than a host name and its verb have. */
const MAX_LINE_CHARACTERS = 300;
/** Of DATA and its like. Shorter lines, of which very many fit into a packet, cost no more than their bytes. */
const MIN_VERB_CHARACTERS = 4;
