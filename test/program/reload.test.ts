/** SIGHUP: new connections get the new configuration, live ones keep theirs, and what cannot be used changes nothing. */
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { selfSignedCredential } from '../../src/credentials/credentials.js';
import { freePort } from '../support/peers/postfix.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig, type ProxyConfig, type Table } from '../support/proxy-config.js';
import { startTestSink, type TestSink } from '../support/sink.js';
import { SmtpClient } from '../support/smtp-client.js';

/** Files of a new certificate, as `NAME.crt` and `NAME.key` in the program's folder would be replaced by a renewal. */
function putCertificate(folder: string, name: string, part: 'both' | 'chain' = 'both'): void {
  const { chainPem, keyPem } = selfSignedCredential(
    mkdtempSync(join(tmpdir(), 'oldhello-cert-')),
    'mx.example',
  );
  const put = (file: string, text: string): void => {
    writeFileSync(join(folder, `${file}.new`), text);
    renameSync(join(folder, `${file}.new`), join(folder, file));
  };
  put(`${name}.crt`, chainPem);
  if (part === 'both') put(`${name}.key`, keyPem);
}

const listener = (name: string, address = '127.0.0.1:0'): Table => ({ name, address });

const config = (sink: TestSink, listeners: readonly Table[], more: ProxyConfig = {}): string =>
  proxyConfig({ ...more, listeners, backend: { address: sink.port } });

const CERTIFICATE: ProxyConfig = { certificates: [{ chain: 'mx.crt', key: 'mx.key' }] };

async function start(t: Test): Promise<{ program: Program; sink: TestSink }> {
  const sink = await startTestSink();
  const program = await startProgram(config(sink, [listener('one')]), 1);
  t.teardown(async () => {
    await program.stop();
    sink.close();
  });
  return { program, sink };
}

/** A session inside TLS, and the certificate it was shown. */
async function openSession(port: number): Promise<{ client: SmtpClient; serial: string }> {
  const client = await SmtpClient.connect(port);
  await client.reply();
  await client.command('EHLO client.example');
  await client.command('STARTTLS');
  const serial = await client.secure();
  await client.command('EHLO client.example');
  return { client, serial };
}

test('a new certificate is for new connections; a live one goes on with what it has', async (t) => {
  const { program, sink } = await start(t);
  putCertificate(program.folder, 'mx');
  program.configure(config(sink, [listener('one')], CERTIFICATE));
  program.signal('SIGHUP');
  await program.next('reloaded');
  const port = program.ports.get('one')!;
  const before = await openSession(port);
  putCertificate(program.folder, 'mx');
  program.signal('SIGHUP');
  await program.next('reloaded');
  const after = await openSession(port);
  t.not(after.serial, before.serial);
  for (const { client } of [before, after]) {
    t.match(await client.deliver('a@a.example', 'b@b.example', 'Subject: x\r\n\r\nx'), /^250 /);
    t.match(await client.command('QUIT'), /^221 /);
    t.match(await program.nextConnection(), { outcome: 'completed' });
  }
});

test('listeners come and go; who is connected through one that goes is not disturbed', async (t) => {
  const { program, sink } = await start(t);
  await program.next('listening');
  const old = await openSession(program.ports.get('one')!);
  program.configure(config(sink, [listener('two')]));
  program.signal('SIGHUP');
  const { port } = await program.next('listening');
  t.match(await program.next('listening_ended'), { listener: 'one', port: program.ports.get('one') });
  await program.next('reloaded');
  await t.rejects(SmtpClient.connect(program.ports.get('one')!), { code: 'ECONNREFUSED' });
  t.match(await old.client.deliver('a@a.example', 'b@b.example', 'x'), /^250 /);
  const { client } = await openSession(port as number);
  t.match(await client.command('QUIT'), /^221 /);
  t.match(await program.nextConnection(), { listener: 'two', outcome: 'completed' });
  t.match(await old.client.command('QUIT'), /^221 /);
  t.match(await program.nextConnection(), { listener: 'one', outcome: 'completed' });
});

test('what only the start reads is named, and all else takes effect', async (t) => {
  const { program, sink } = await start(t);
  program.configure(
    config(sink, [listener('one')], {
      server: { hostname: 'renamed.example', workers: 2 },
      log: { level: 'warn', 'repeat-limit': 5 },
      admin: { address: '127.0.0.1:0' },
    }),
  );
  program.signal('SIGHUP');
  await program.next('reloaded');
  t.match(await program.next('restart_needed'), {
    level: 'warn',
    file: join(program.folder, 'oldhello.toml'),
    keys: ['server.workers', 'log.level', 'log.repeat-limit', 'admin.address'],
  });
  const client = await SmtpClient.connect(program.ports.get('one')!);
  t.match(await client.reply(), /^220 /);
  t.match(await client.command('XCLIENT ADDR=192.0.2.1'), /^550 5\.7\.0 renamed\.example /);
  client.destroy();
  program.configure(config(sink, [listener('one')]));
  program.signal('SIGHUP');
  await program.next('reloaded');
  t.equal(await program.stop(), 0);
  t.equal(
    program.log.filter(({ event }) => event === 'restart_needed').length,
    1,
    'nothing differs any more',
  );
});

test('a listener that keeps its socket under another name is logged as another one', async (t) => {
  const sink = await startTestSink();
  const address = `127.0.0.1:${await freePort()}`;
  const program = await startProgram(config(sink, [listener('one', address)]), 1);
  t.teardown(async () => {
    await program.stop();
    sink.close();
  });
  const { port } = await program.next('listening');
  const before = await openSession(port as number);
  program.configure(config(sink, [listener('two', address)]));
  program.signal('SIGHUP');
  t.match(await program.next('listening_ended'), { listener: 'one', port });
  t.match(await program.next('listening'), { listener: 'two', port });
  await program.next('reloaded');
  const after = await openSession(port as number);
  for (const [{ client }, name] of [
    [before, 'one'],
    [after, 'two'],
  ] as const) {
    await client.command('QUIT');
    t.match(await program.nextConnection(), { outcome: 'completed', listener: name });
  }
});

test('a policy that is new holds for the next connection', async (t) => {
  const { program, sink } = await start(t);
  program.configure(config(sink, [listener('one')], { policies: [{ refuse: true }] }));
  program.signal('SIGHUP');
  await program.next('reloaded');
  const client = await SmtpClient.connect(program.ports.get('one')!);
  t.match(await client.reply(), /^554 5\.7\.1 proxy\.example /);
});

test('a configuration that cannot be used changes nothing, and one log line has its place', async (t) => {
  const { program, sink } = await start(t);
  putCertificate(program.folder, 'mx');
  program.configure(config(sink, [listener('one')], CERTIFICATE));
  program.signal('SIGHUP');
  await program.next('reloaded');
  const { client, serial } = await openSession(program.ports.get('one')!);
  client.destroy();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const file = join(program.folder, 'oldhello.toml');
  for (const [toml, place, message] of [
    ['this is not TOML', ':1: ', /./],
    [
      config(sink, [{ ...listener('one'), mod: 'x' }], CERTIFICATE),
      ':9: listener[0].mod: ',
      /did you mean mode/,
    ],
    [
      config(sink, [listener('one'), listener('two', `127.0.0.1:${port}`)], CERTIFICATE),
      ':11: listener[1].address: ',
      /another program listens there/,
    ],
    [
      config(sink, [listener('one')], { certificates: [{ chain: 'mx.crt', key: 'gone.key' }] }),
      ': certificate[0].',
      /gone\.key: cannot be read/,
    ],
  ] as const) {
    program.configure(toml);
    program.signal('SIGHUP');
    const line = await program.next('reload_failed');
    t.match(line, { level: 'error', file });
    const [problem] = line['problems'] as string[];
    t.match(problem, message);
    t.ok(problem!.startsWith(file) && problem!.includes(place), String(problem));
  }
  putCertificate(program.folder, 'mx', 'chain');
  program.configure(config(sink, [listener('one')], CERTIFICATE));
  program.signal('SIGHUP');
  const { problems } = await program.next('reload_failed');
  t.match(
    problems,
    [/:17: certificate\[0\].key: .*mx\.key: is not the key of any certificate in .*mx\.crt/],
    'a key of another certificate',
  );
  const after = await openSession(program.ports.get('one')!);
  t.equal(after.serial, serial, 'the certificate is still the old one');
  t.match(await after.client.deliver('a@a.example', 'b@b.example', 'x'), /^250 /);
  after.client.destroy();
});
