/** An OldClient on a socket of its own, or on one that has spoken SMTP already. */
import { connect, type Socket } from 'node:net';
import { OldClient, type OldSession, type SuiteName } from './old-client.js';

export interface Listener {
  established?(): void;
  data?(plaintext: Buffer): void;
  /** Once, at the end; with an error where it came before its time. */
  closed(error: Error | undefined): void;
}

export class OldConnection {
  readonly client: OldClient;
  readonly socket: Socket;
  readonly #listener: Listener;
  #established = false;

  constructor(socket: Socket, suite: SuiteName, listener: Listener, session?: OldSession) {
    this.client = new OldClient(suite, session);
    this.socket = socket;
    this.#listener = listener;
    let failure: Error | undefined;
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('error', (error) => (failure ??= error));
    socket.once('close', () => listener.closed(failure));
  }

  static to(port: number, suite: SuiteName, listener: Listener, session?: OldSession): OldConnection {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const connection = new OldConnection(socket, suite, listener, session);
    socket.once('connect', () => connection.begin());
    return connection;
  }

  begin(): void {
    this.socket.write(this.client.hello());
  }

  write(plaintext: Buffer): void {
    this.socket.write(this.client.send(plaintext));
  }

  /** Says goodbye, and waits for nothing. */
  end(): void {
    this.socket.end(this.client.closeNotify());
  }

  #take(bytes: Buffer): void {
    try {
      const plaintext: Buffer[] = [];
      const answer = this.client.receive(bytes, (piece) => plaintext.push(piece));
      if (answer.length > 0) this.socket.write(answer);
      if (!this.#established && this.client.established) {
        this.#established = true;
        this.#listener.established?.();
      }
      for (const piece of plaintext) this.#listener.data?.(piece);
    } catch (error) {
      this.socket.destroy(error as Error);
    }
  }
}
