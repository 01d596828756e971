/** A mail server without TLS that counts its sessions, keeps their commands, and may answer each in another way. */
import { EventEmitter, once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface BackendReplies {
  readonly greeting: string;
  readonly ehlo: string;
  readonly helo?: string;
  /** Milliseconds before the greeting. */
  readonly delayMs?: number;
  /** From where on it says nothing more. */
  readonly silent?: 'greeting' | 'EHLO';
}

export const STANDARD_REPLIES: BackendReplies = {
  greeting: '220 mx.example ESMTP Model\r\n',
  ehlo: '250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250 8BITMIME\r\n',
};

/** Of one session, what came after the PROXY header. */
export interface SeenSession {
  /** Whether its PROXY header says that it is a health check. */
  local: boolean;
  readonly commands: string[];
  mails: number;
}

/** Emits `session` for each. */
export class CountingBackend extends EventEmitter {
  readonly sessions: SeenSession[] = [];
  replies: BackendReplies = STANDARD_REPLIES;
  /** What the next session gets. */
  next = (): BackendReplies => this.replies;
  port = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor() {
    super();
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  /** Sessions that are no health checks. */
  get clients(): SeenSession[] {
    return this.sessions.filter(({ local }) => !local);
  }

  async listen(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
    return this.port;
  }

  /** Refuses connections from now on, and ends those that live. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined);
    const session: SeenSession = { local: false, commands: [], mails: 0 };
    const replies = this.next();
    const lines = createInterface({ input: socket, crlfDelay: Infinity }).on('error', () => undefined);
    let inData = false;
    lines.on('line', (line) => {
      if (line.startsWith('PROXY ')) {
        session.local = line === 'PROXY UNKNOWN';
        this.sessions.push(session);
        this.emit('session');
        if (replies.silent !== 'greeting') {
          setTimeout(() => socket.write(replies.greeting), replies.delayMs ?? 0);
        }
        return;
      }
      if (inData && line !== '.') return;
      session.commands.push(line);
      if (inData) session.mails += 1;
      inData = line === 'DATA';
      if (replies.silent === 'EHLO') return;
      const reply = replyTo(line, replies);
      socket.write(reply);
      if (/^(?:221|421)/.test(reply)) socket.end();
    });
  }
}

function replyTo(line: string, { ehlo, helo }: BackendReplies): string {
  switch (/^\S*/.exec(line)![0].toUpperCase()) {
    case 'EHLO':
      return ehlo;
    case 'HELO':
      return helo ?? '250 mx.example\r\n';
    case 'DATA':
      return '354 go on\r\n';
    case 'QUIT':
      return '221 2.0.0 Bye\r\n';
    case 'NOOP':
      return '250 2.0.0 nothing\r\n';
    case 'RSET':
      return '250 2.0.0 reset\r\n';
    default:
      return '250 2.0.0 Ok\r\n';
  }
}
