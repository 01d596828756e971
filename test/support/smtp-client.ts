/**
 * An SMTP client that goes step by step, in clear or under TLS: Node's, or the client that the engine is tested with,
 * which needs no peer and is quick.
 */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { TestClient, type HelloOptions } from './test-client.js';

/** The other side closed while a reply was waited for. */
export class Closed extends Error {}

export class SmtpClient {
  /** Everything that came, as SMTP. */
  received = '';
  /** When TCP is closed, with what went wrong, a reset for example. */
  readonly gone: Promise<Error | undefined>;
  readonly #raw: Socket;
  #tls: TLSSocket | TestClient | undefined;
  #read = 0;
  #wake: (() => void) | undefined;
  #closed = false;

  private constructor(socket: Socket) {
    this.#raw = socket;
    let failure: Error | undefined;
    socket.on('error', (error) => (failure = error));
    this.gone = new Promise((resolve) => socket.on('close', () => resolve(failure)));
    socket.on('close', this.#end).on('end', this.#end);
    this.#listen(socket);
  }

  /** @throws what connect() says */
  static async connect(port: number, localAddress = '127.0.0.1', host = '127.0.0.1'): Promise<SmtpClient> {
    const socket = connectTcp({ port, host, localAddress, noDelay: true });
    await once(socket, 'connect');
    return new SmtpClient(socket);
  }

  /**
   * The next whole reply.
   * @throws Closed
   */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-[^\n]*\n)*\d{3}[ \r][^\n]*\n/.exec(this.received.slice(this.#read));
      if (match !== null) {
        this.#read += match[0].length;
        return match[0].trimEnd();
      }
      await this.#more();
    }
  }

  async command(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  write(text: string): void {
    if (this.#tls instanceof TestClient) this.#raw.write(this.#tls.seal(23, Buffer.from(text)));
    else (this.#tls ?? this.#raw).write(text);
  }

  /** Bytes as they are, beneath whatever TLS there is. */
  send(bytes: Uint8Array): void {
    this.#raw.write(bytes);
  }

  /** Says that no more will come, and goes on listening. */
  halfClose(): void {
    this.#raw.end();
  }

  /** Goes without a word: TCP's RST, and what was on its way is lost. */
  reset(): void {
    this.#raw.resetAndDestroy();
  }

  /** Undefined once it is closed. */
  get localPort(): number | undefined {
    return this.#raw.localPort;
  }

  /** With Node's TLS. @returns the certificate's serial number */
  async secure(options: ConnectionOptions = {}): Promise<string> {
    for (const event of ['data', 'end']) this.#raw.removeAllListeners(event);
    this.#raw.off('close', this.#end);
    const tls = connectTls({ ...options, socket: this.#raw, rejectUnauthorized: false });
    await once(tls, 'secureConnect');
    tls.on('error', () => undefined);
    tls.on('end', this.#end).on('close', this.#end);
    this.#tls = tls;
    this.#listen(tls);
    return tls.getPeerX509Certificate()!.serialNumber;
  }

  /** As an old client would. @throws Closed */
  async secureLikeOld(hello: HelloOptions): Promise<TestClient> {
    const client = new TestClient(hello);
    this.#tls = client;
    this.#raw.write(client.hello());
    while (!client.messages.includes(SERVER_HELLO_DONE)) await this.#more();
    this.#raw.write(client.secondFlight());
    while (!client.serverFinished) await this.#more();
    return client;
  }

  /**
   * As an old client that comes back with what it got earlier, by its ticket or the session's id.
   * @returns whether the server went along; if not, there was a full handshake
   * @throws Closed
   */
  async secureAgain(
    hello: HelloOptions,
    earlier: TestClient,
  ): Promise<{ client: TestClient; resumed: boolean }> {
    const client = new TestClient(hello);
    client.resume(earlier.master!);
    this.#tls = client;
    this.#raw.write(client.hello());
    while (!client.serverFinished && !client.messages.includes(SERVER_HELLO_DONE)) await this.#more();
    const resumed = client.serverFinished;
    if (resumed) {
      const changeCipherSpec = client.changeCipherSpec();
      client.protectWrites();
      this.#raw.write(Buffer.concat([changeCipherSpec, client.finished()]));
    } else this.#raw.write(client.secondFlight());
    while (!client.serverFinished) await this.#more();
    return { client, resumed };
  }

  /** From EHLO to the reply to the last dot. @throws Closed */
  async deliver(from: string, to: string, body: string): Promise<string> {
    for (const [line, expected] of [
      [`MAIL FROM:<${from}>`, '250'],
      [`RCPT TO:<${to}>`, '250'],
      ['DATA', '354'],
    ] as const) {
      const reply = await this.command(line);
      if (!reply.startsWith(expected)) return reply;
    }
    return this.command(`${body}\r\n.`);
  }

  /** Resolves when the other side has closed, or sends no more. */
  async closed(): Promise<void> {
    try {
      for (;;) await this.#more();
    } catch (error) {
      if (!(error instanceof Closed)) throw error;
    }
  }

  destroy(): void {
    this.#raw.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => {
      const tls = this.#tls;
      if (tls instanceof TestClient) {
        tls.receive(bytes);
        this.received += tls.data.toString('latin1');
        tls.data = Buffer.alloc(0);
      } else this.received += bytes.toString('latin1');
      this.#wake?.();
    });
  }

  readonly #end = (): void => {
    this.#closed = true;
    this.#wake?.();
  };

  async #more(): Promise<void> {
    if (this.#closed) throw new Closed(`closed after ${JSON.stringify(this.received.slice(-200))}`);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

const SERVER_HELLO_DONE = 14;
