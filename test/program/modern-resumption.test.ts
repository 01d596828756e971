/** Clients of today, served by Node's TLS, resume what they began in another process or on another machine. */
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { selfSignedCredential } from '../../src/credentials/credentials.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';
import { SmtpClient } from '../support/smtp-client.js';

const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? undefined : 'needs the openssl command';
const VERSIONS = ['-tls1_2', '-tls1_3'] as const;
const newKey = (): string => `${randomBytes(48).toString('base64')}\n`;

interface Site {
  /** Sessions and keys of the test. */
  readonly folder: string;
  readonly start: (workers?: number) => Promise<Program>;
  /** Of all machines. */
  readonly putKeys: (text: string) => void;
}

async function site(t: Test): Promise<Site> {
  const folder = t.testdir();
  const sink = await startTestSink();
  t.teardown(() => sink.close());
  selfSignedCredential(folder, 'mx.example');
  const config = (workers: number): string =>
    proxyConfig({
      server: { workers },
      backend: { address: sink.port },
      certificates: [{ chain: `${folder}/self-signed.crt`, key: `${folder}/self-signed.key` }],
      tls: { 'ticket-key-file': `${folder}/ticket.keys` },
      log: { level: 'debug' },
    });
  return {
    folder,
    start: async (workers = 1) => {
      const program = await startProgram(config(workers), 1);
      t.teardown(() => program.stop());
      await program.next('started');
      await program.next('ticket_keys');
      return program;
    },
    putKeys: (text) => {
      const file = join(folder, 'ticket.keys');
      writeFileSync(`${file}.new`, text, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
  };
}

interface Visit {
  readonly resumed: boolean;
  /** The process that served it. */
  readonly pid: unknown;
}

/** @param options of OpenSSL's client */
async function visit(t: Test, program: Program, options: readonly string[]): Promise<Visit> {
  const peer = ['-connect', `127.0.0.1:${program.ports.get('mx')!}`, '-starttls', 'smtp', '-crlf'];
  const client = new Promise<string>((resolve) => {
    // The last word is the server's, which comes behind its tickets.
    const args = ['s_client', ...peer, '-ign_eof', ...options];
    execFile('openssl', args, (_, stdout) => resolve(stdout)).stdin!.end('quit\n');
  });
  const [said, { pid }, session] = await Promise.all([
    client,
    program.next('connection_opened'),
    program.nextConnection(),
  ]);
  const resumed = /^(New|Reused), /m.exec(said)?.[1] === 'Reused';
  t.match(session, { outcome: 'completed', tls: { path: 'native', resumed } }, 'the log agrees');
  return { resumed, pid };
}

for (const version of VERSIONS) {
  for (const name of [['-servername', 'mx.example'], ['-noservername']]) {
    const options = [version, ...name];
    const title = options.join(' ');

    test(`${title}: a session of one worker resumes in another`, async (t) => {
      if (!hasPeer(t, 'openssl', noOpenssl)) return;
      const { start, putKeys, folder } = await site(t);
      putKeys(newKey());
      const program = await start(2);
      const session = join(folder, 'session');
      const first = await visit(t, program, [...options, '-sess_out', session]);
      t.notOk(first.resumed);
      // Whoever comes next goes to the worker that has fewer.
      const other = await SmtpClient.connect(program.ports.get('mx')!);
      await program.next('connection_opened');
      const second = await visit(t, program, [...options, '-sess_in', session]);
      t.not(second.pid, first.pid);
      t.ok(second.resumed);
      other.destroy();
    });
  }

  test(`${version}: on another machine too, also after the keys changed, until its key is gone`, async (t) => {
    if (!hasPeer(t, 'openssl', noOpenssl)) return;
    const { start, putKeys, folder } = await site(t);
    const [old, fresh] = [newKey(), newKey()];
    putKeys(old);
    const [a, b] = [await start(), await start()];
    const session = join(folder, 'session');
    await visit(t, a, [version, '-sess_out', session]);
    t.ok((await visit(t, b, [version, '-sess_in', session])).resumed);
    putKeys(fresh + old);
    await b.next('ticket_keys');
    t.ok((await visit(t, b, [version, '-sess_in', session])).resumed, 'the second key opens');
    const later = join(folder, 'later');
    await visit(t, b, [version, '-sess_out', later]);
    putKeys(fresh);
    b.signal('SIGHUP');
    await b.next('reloaded');
    t.notOk((await visit(t, b, [version, '-sess_in', session])).resumed, 'what is gone opens nothing');
    t.ok((await visit(t, b, [version, '-sess_in', later])).resumed, 'the first one protects');
  });
}
