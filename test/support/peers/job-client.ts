/** An interop client that takes jobs on standard input: the JDK's TLS, OpenSSL 1.0.2, tlslite-ng. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Switches } from './echo-peer.js';

export interface MailJob {
  readonly kind: 'mail';
  readonly port: number;
  readonly mode: 'starttls' | 'implicit';
  /** As the client's library calls them. */
  readonly protocols: string;
  readonly ciphers: string;
  readonly helo: string;
  readonly from: string;
  readonly to: string;
  readonly file: string;
  /** The address to come from; only the JDK's client knows it, and the next two. */
  readonly local?: string;
  /** For AUTH PLAIN. */
  readonly user?: string;
  readonly pass?: string;
}

export interface EchoJob extends Switches {
  readonly kind: 'echo';
  readonly port: number;
  readonly protocols: string;
  readonly ciphers: string;
  /** What OpenSSL may go up to where `protocols` leaves the version to it. */
  readonly newest?: string;
  /** Connections, `size:closer` separated by commas; each but the first offers the session of the one before. */
  readonly rounds: string;
  readonly tickets: 'yes' | 'no';
}

/** A protocol of lines over bare TLS; only the JDK's client knows it. */
export interface LinesJob {
  readonly kind: 'lines';
  readonly port: number;
  readonly protocols: string;
  readonly ciphers: string;
  readonly local?: string;
  /** What the line that is waited for begins with, then the line to send, and so on, with `|` between; in hexadecimal. */
  readonly script: string;
}

export type JobAnswer =
  /** `read` in hexadecimal, of lines. */
  | { readonly ok: true; readonly protocol: string; readonly cipher: string; readonly read?: string }
  | { readonly ok: false; readonly phase: string; readonly error: string };

export interface JobClient {
  run(job: MailJob | EchoJob | LinesJob): Promise<JobAnswer>;
  close(): void;
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The Python that has the peers written in it. */
export const PYTHON = [
  process.env['OLDHELLO_PEERS_PYTHON'],
  here('../../../.peers/venv/bin/python'),
  'python3',
].find((path) => path !== undefined && (!path.startsWith('/') || existsSync(path)))!;

/** How each client is started, and how to see whether it can be. */
const CLIENTS = {
  jdk: {
    // Without the second it resumes no session without extended_master_secret, as Java 6 did.
    command: [
      'java',
      '-Djsse.enableMFLNExtension=true',
      '-Djdk.tls.allowUnsafeServerCertChange=true',
      here('./SmtpTlsClient.java'),
    ],
    probe: ['java', '--version'],
    needs: 'a JDK, 17 or so',
  },
  nassl: {
    command: [PYTHON, here('./nassl_client.py')],
    probe: [PYTHON, '-c', 'import nassl'],
    needs: 'the Python package nassl, which brings OpenSSL 1.0.2',
  },
  tlslite: {
    command: [PYTHON, here('./tlslite_client.py')],
    probe: [PYTHON, '-c', 'import tlslite'],
    needs: 'the Python package tlslite-ng',
  },
} as const;

export type JobClientName = keyof typeof CLIENTS;

/** What is missing for this client here; undefined where it can run. */
export function missing(name: JobClientName): string | undefined {
  const { probe, needs } = CLIENTS[name];
  const [command, ...args] = probe;
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0 ? undefined : `needs ${needs}`;
}

/** @param options further ones, in front of the client's own */
export function startJobClient(name: JobClientName, options: readonly string[] = []): JobClient {
  const [command, ...own] = CLIENTS[name].command;
  const args = [...options, ...own];
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout! });
  return {
    async run(job) {
      const fields = Object.entries({ host: '127.0.0.1', ...job }).map(([key, value]) => `${key}=${value}`);
      child.stdin!.write(`${fields.join('\t')}\n`);
      const [line] = (await once(answers, 'line')) as [string];
      return JSON.parse(line) as JobAnswer;
    },
    close: () => child.stdin!.end(),
  };
}
