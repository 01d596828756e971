/**
 * One oldhello in front of one real mail server, reached in several ways at once; and the two clients that try each
 * way, one of each age, from addresses of their own.
 */
import { createTransport } from 'nodemailer';
import type { Test } from 'tap';
import type { ConnectionEvent } from '../../src/observe/connection-record.js';
import { makeMessage } from './message.js';
import { startJobClient, type JobAnswer, type JobClient } from './peers/job-client.js';
import type { Mta } from './peers/mta.js';
import { startProgram, type Program } from './program.js';

/** One way to reach the server: a listener with a backend of its own. */
export interface Way {
  readonly name: string;
  readonly mode: 'starttls' | 'implicit';
  /** Lines of the [[backend]] table without its name, as an administrator would write them. */
  readonly backend: string;
}

export interface Login {
  readonly user: string;
  readonly pass: string;
}

/** Other loopback addresses than oldhello's own, so that it cannot be taken for its clients, nor they for each other. */
export const OLD_CLIENT = '127.0.0.66';
export const NEW_CLIENT = '127.0.0.77';

export class Trials {
  readonly #program: Program;
  readonly #jdk: JobClient;
  readonly #mta: Mta;
  readonly #message = makeMessage(100_000);

  private constructor(program: Program, jdk: JobClient, mta: Mta) {
    this.#program = program;
    this.#jdk = jdk;
    this.#mta = mta;
  }

  /** Everything ends with the test. */
  static async start(t: Test, mta: Mta, ways: readonly Way[]): Promise<Trials> {
    const program = await startProgram(configuration(ways), ways.length);
    const jdk = startJobClient('jdk');
    t.teardown(async () => {
      jdk.close();
      await program.stop();
      await mta.stop();
    });
    return new Trials(program, jdk, mta);
  }

  port(way: Way): number {
    return this.#program.ports.get(way.name)!;
  }

  nextConnection(): Promise<ConnectionEvent> {
    return this.#program.nextConnection();
  }

  /** Sends by the JDK's TLS, opened with an SSLv2-format hello. */
  sendOld(way: Way, login?: Login): Promise<JobAnswer> {
    return this.#jdk.run({
      kind: 'mail',
      local: OLD_CLIENT,
      port: this.port(way),
      mode: way.mode,
      protocols: 'SSLv2Hello,SSLv3',
      ciphers: 'SSL_RSA_WITH_RC4_128_MD5',
      helo: 'old.example',
      from: 'sender@old.example',
      to: 'recipient@new.example',
      file: this.#message.file,
      ...login,
    });
  }

  /** Sends by Node's TLS. @param trusted PEM: the one certificate that will do; absent: any */
  async sendNew(way: Way, trusted?: string, login?: Login, to = 'recipient@new.example'): Promise<void> {
    const transport = createTransport({
      host: '127.0.0.1',
      port: this.port(way),
      localAddress: NEW_CLIENT,
      secure: way.mode === 'implicit',
      requireTLS: way.mode === 'starttls',
      name: 'modern.example',
      ...(login && { auth: { ...login, type: 'login', method: 'PLAIN' } }),
      tls: {
        servername: 'backend.example',
        rejectUnauthorized: trusted !== undefined,
        ...(trusted !== undefined && { ca: [trusted] }),
      },
    });
    try {
      await transport.sendMail({ from: 'sender@modern.example', to, subject: 'test', text: 'text' });
    } finally {
      transport.close();
    }
  }

  /**
   * Both clients deliver by this way, and the server names each of them in its mail.
   * @param seen whether the server has to see TLS, and who serves the modern client
   */
  async bothArrive(
    t: Test,
    way: Way,
    seen: { readonly tls: boolean; readonly path: 'native' | 'passthrough'; readonly trusted?: string },
  ): Promise<void> {
    const answer = await this.sendOld(way);
    if (!answer.ok) {
      const { outcome, reason, explanation } = await this.nextConnection();
      throw new Error(`${way.name}: ${answer.phase}: ${answer.error}; ${outcome}, ${reason}: ${explanation}`);
    }
    t.equal(answer.protocol, 'SSLv3', `${way.name}: the old client is served`);
    const old = await this.#mta.nextMessage();
    this.#checkTrace(t, old, { client: OLD_CLIENT, helo: 'old.example', ...seen });
    t.equal(
      old.replaceAll('\r\n', '\n').slice(-10_000),
      this.#message.bytes.toString('latin1').replaceAll('\r\n', '\n').slice(-10_000),
      'its mail arrives whole',
    );
    t.match(await this.nextConnection(), {
      client: { address: OLD_CLIENT },
      outcome: 'completed',
      hello: { format: 'sslv2' },
      tls: { path: 'engine', version: 'SSLv3' },
    });
    await this.sendNew(way, seen.trusted);
    this.#checkTrace(t, await this.#mta.nextMessage(), {
      client: NEW_CLIENT,
      helo: 'modern.example',
      ...seen,
    });
    t.match(await this.nextConnection(), {
      client: { address: NEW_CLIENT },
      outcome: 'completed',
      tls: { path: seen.path, version: 'TLSv1.3' },
    });
  }

  /** RFC 5321, 4.4: the first Received field is what the server behind oldhello knows of the client. */
  #checkTrace(
    t: Test,
    message: string,
    { client, helo, tls }: { readonly client: string; readonly helo: string; readonly tls: boolean },
  ): void {
    const received = traceOf(message);
    if (this.#mta.knowsClients) {
      t.match(received, `[${client}]`, 'the server knows the client by its own address');
      t.notMatch(received, '[127.0.0.1]', "and does not see oldhello's");
    } else {
      t.match(received, '[127.0.0.1]', 'the server takes the client for oldhello');
    }
    t.match(received, helo);
    t.match(received, tls ? /\bwith ESMTPSA?\b/i : /\bwith ESMTPA?\b/i, tls ? 'over TLS' : 'in clear');
  }
}

/** The first Received field, on one line. */
export function traceOf(message: string): string {
  const unfolded = message.replaceAll('\r\n', '\n').replace(/\n[ \t]+/g, ' ');
  return /^Received: .*$/m.exec(unfolded)?.[0] ?? 'no Received field';
}

function configuration(ways: readonly Way[]): string {
  const pair = ({ name, mode, backend }: Way): string => `
[[listener]]
name = "${name}"
address = "127.0.0.1:0"
mode = "${mode}"
backend = "${name}"
[[backend]]
name = "${name}"
health-interval = "0"
${backend}
`;
  return `
[server]
hostname = "proxy.example"
state-directory = "STATE"
[tls]
profile = "ancient"
${ways.map(pair).join('')}`;
}
