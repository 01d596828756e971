/** Two programs with the same ticket keys resume each other's sessions, and follow when the file changes. */
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { selfSignedCredential } from '../../src/credentials/credentials.js';
import { visit } from '../support/old-visit.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';

const newKey = (): string => `${randomBytes(48).toString('base64')}\n`;

interface Nodes {
  readonly folder: string;
  start(): Promise<Program>;
  /** Replaces the file at once, as a careful admin does. */
  putKeys(text: string, mode?: number): void;
}

async function shared(t: Test): Promise<Nodes> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-shared-'));
  const sink = await startTestSink();
  const programs: Program[] = [];
  t.teardown(async () => {
    for (const program of programs) await program.stop();
    sink.close();
  });
  selfSignedCredential(folder, 'mx.example');
  return {
    folder,
    async start() {
      const program = await startProgram(
        proxyConfig({
          server: { hostname: 'mx.example' },
          backend: { address: sink.port },
          certificates: [{ chain: `${folder}/self-signed.crt`, key: `${folder}/self-signed.key` }],
          tls: { 'ticket-key-file': 'ticket.keys' },
        }),
        1,
        { before: (own) => copyFileSync(join(folder, 'ticket.keys'), join(own, 'ticket.keys')) },
      );
      programs.push(program);
      return program;
    },
    putKeys(text, mode = 0o600) {
      const put = (file: string): void => {
        writeFileSync(`${file}.new`, text);
        chmodSync(`${file}.new`, mode);
        renameSync(`${file}.new`, file);
      };
      put(join(folder, 'ticket.keys'));
      for (const program of programs) put(join(program.folder, 'ticket.keys'));
    },
  };
}

const port = (program: Program): number => program.ports.get('mx')!;

test('a ticket of one node opens on the other, whose folder is another', async (t) => {
  const nodes = await shared(t);
  nodes.putKeys(newKey());
  const [a, b] = [await nodes.start(), await nodes.start()];
  const first = await visit(port(a), 'ticket');
  const again = await visit(port(b), 'ticket', { earlier: first });
  t.ok(again.resumed);
  t.match(again.reply, /^250 /);
  t.match(await b.nextConnection(), { outcome: 'completed', tls: { resumed: true } });
});

test('a changed file is in use without a signal; old tickets open while their key is in it', async (t) => {
  const nodes = await shared(t);
  const [old, fresh] = [newKey(), newKey()];
  nodes.putKeys(old);
  const program = await nodes.start();
  t.match(await program.next('ticket_keys'), { keys: 1 });
  const first = await visit(port(program), 'ticket');
  nodes.putKeys(fresh + old);
  t.match(await program.next('ticket_keys'), { keys: 2 });
  const second = await visit(port(program), 'ticket', { earlier: first });
  t.ok(second.resumed, 'the second key opens');
  const third = await visit(port(program), 'ticket');
  t.equal(
    third.tls.ticket!.toString('hex', 0, 16),
    Buffer.from(fresh, 'base64').toString('hex', 0, 16),
    'the first one protects',
  );
  nodes.putKeys(fresh);
  await program.next('ticket_keys');
  t.notOk((await visit(port(program), 'ticket', { earlier: first })).resumed, 'what is gone opens nothing');
  t.ok((await visit(port(program), 'ticket', { earlier: third })).resumed);
});

test('a file that turns bad leaves the keys as they were, and one log line has the reason', async (t) => {
  const nodes = await shared(t);
  nodes.putKeys(newKey());
  const program = await nodes.start();
  const first = await visit(port(program), 'ticket');
  nodes.putKeys('# oops\nsecret-but-no-key\n');
  const failed = await program.next('ticket_keys_failed');
  t.match(failed, {
    level: 'error',
    problem: /ticket\.keys: line 2 is not a key; .*openssl rand -base64 48/,
  });
  t.notMatch(JSON.stringify(program.log), 'secret-but');
  t.ok((await visit(port(program), 'ticket', { earlier: first })).resumed);
  program.signal('SIGHUP');
  t.match(await program.next('reload_failed'), {
    problems: [/oldhello\.toml:19: tls\.ticket-key-file: .*ticket\.keys: line 2 is not a key/],
  });
  t.ok((await visit(port(program), 'ticket', { earlier: first })).resumed, 'also after a reload that failed');
});

test('SIGHUP takes new keys at once; keys that others can read are warned about', async (t) => {
  const nodes = await shared(t);
  nodes.putKeys(newKey());
  const program = await nodes.start();
  await program.next('ticket_keys');
  nodes.putKeys(newKey() + newKey(), 0o644);
  program.signal('SIGHUP');
  t.match(await program.next('ticket_keys'), { keys: 2 });
  t.match(await program.next('secret_exposed'), { file: /ticket\.keys$/, mode: '0644' });
});
