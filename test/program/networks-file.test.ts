/** Networks of a policy in a file of their own: for whom they hold, how they are read again, and what is wrong in them. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { CLI, refusedStart, startProgram, type Program } from '../support/program.js';
import { proxyConfig, type ProxyConfig } from '../support/proxy-config.js';

const FILE = 'networks.txt';
/** SSLv2-format: TLS 1.0, AES128-SHA, a challenge of 16 bytes (RFC 5246, E.2). */
const HELLO = Buffer.from('801c01030100030000001000002f0102030405060708090a0b0c0d0e0f10', 'hex');

const config = (more: ProxyConfig): string =>
  proxyConfig({
    listeners: [{ mode: 'implicit', 'proxy-protocol': ['127.0.0.1'] }],
    ...more,
  });

const put = (folder: string, text: string): void => writeFileSync(join(folder, FILE), text);

/** Clients from the networks in the file may not open in the SSLv2 format. */
async function start(t: Test, networks: string, more: ProxyConfig = {}): Promise<Program> {
  const policies = [{ 'networks-file': FILE, 'sslv2-hello': false }];
  const program = await startProgram(config({ policies, ...more }), 1, {
    before: (folder) => put(folder, networks),
  });
  t.teardown(() => program.stop());
  await program.next('started');
  return program;
}

/** Opens with an SSLv2-format hello from this address, as the load balancer says. @returns whether a policy forbids it */
async function isRefused(program: Program, address: string): Promise<boolean> {
  const socket = connect(program.ports.get('mx')!, '127.0.0.1');
  socket.write(`PROXY ${address.includes(':') ? 'TCP6 ' : 'TCP4 '}${address} ${address} 40000 465\r\n`);
  socket.end(HELLO);
  socket.resume();
  const closed = once(socket, 'close');
  const { reason } = await program.nextConnection();
  await closed;
  return reason === 'sslv2_hello_not_allowed';
}

const LIST = `# old senders
192.0.2.0/24
  2001:db8::/32\t; a whole provider\r

198.51.100.7   # one printer
`;

for (const workers of [1, 2]) {
  test(`a policy holds for the networks in its file, read again at SIGHUP (workers = ${workers})`, async (t) => {
    const program = await start(t, LIST, { server: { workers } });
    for (const address of ['192.0.2.9', '2001:db8::9', '198.51.100.7']) {
      t.ok(await isRefused(program, address), address);
    }
    t.notOk(await isRefused(program, '198.51.100.8'));
    put(program.folder, '198.51.100.8\n');
    t.ok(await isRefused(program, '192.0.2.9'), 'nobody reads the file before a reload');
    program.signal('SIGHUP');
    await program.next('reloaded');
    t.ok(await isRefused(program, '198.51.100.8'));
    t.notOk(await isRefused(program, '192.0.2.9'));
    put(program.folder, '');
    program.signal('SIGHUP');
    await program.next('reloaded');
    t.notOk(await isRefused(program, '198.51.100.8'), 'an empty file is nobody, not everybody');
  });
}

test('a reload with a bad file names every wrong line of it, and changes nothing', async (t) => {
  const program = await start(t, LIST);
  const file = join(program.folder, FILE);
  const key = `${join(program.folder, 'oldhello.toml')}:17: policy[0].networks-file`;
  put(program.folder, '192.0.2.0/33\n203.0.113.1\n# fine\nmail.example\n');
  program.signal('SIGHUP');
  const allowed = 'allowed: a network or address such as "192.0.2.0/24", "2001:db8::/32" or "192.0.2.7"';
  t.strictSame((await program.next('reload_failed'))['problems'], [
    `${key}: ${file}:1: found "192.0.2.0/33"; ${allowed}`,
    `${key}: ${file}:4: found "mail.example"; ${allowed}`,
  ]);
  t.ok(await isRefused(program, '192.0.2.9'), 'what was read before still holds');
  t.notOk(await isRefused(program, '203.0.113.1'), 'and nothing of the bad file');
  put(program.folder, 'x\n'.repeat(25));
  program.signal('SIGHUP');
  const problems = (await program.next('reload_failed'))['problems'] as string[];
  t.equal(problems.length, 21);
  t.match(problems.at(-1), /networks\.txt: 5 more lines are no network$/);
});

test('a file that is missing or too large stops the start, with its name and what to do', async (t) => {
  const policies = [{ 'networks-file': FILE }];
  t.match(
    await refusedStart(config({ policies })),
    /policy\[0\]\.networks-file: .*networks\.txt: cannot be read: there is no such file/,
  );
  const before = (folder: string): void => put(folder, '#'.repeat(8 * 1024 * 1024 + 1));
  t.match(
    await refusedStart(config({ policies }), { before }),
    /networks\.txt: is larger than 8192 KiB; is it a list of networks\?/,
  );
});

test('check reports how many networks a file has, its errors, and that an empty one matches no client', async (t) => {
  const program = await start(t, LIST);
  const check = (): Promise<string> =>
    new Promise((resolve) => {
      const args = [CLI, 'check', '--config', join(program.folder, 'oldhello.toml')];
      execFile(process.execPath, args, (_, stdout) => resolve(stdout.replaceAll(`${program.folder}/`, '')));
    });
  t.match(
    await check(),
    'good policy 1: networks: networks.txt has 3 networks, those that overlap counted as one',
  );
  put(program.folder, '# nobody yet\n');
  t.match(
    await check(),
    /note policy 1: networks: networks\.txt has no network: the entry is for nobody\n +see oldhello/,
  );
  put(program.folder, '10.0.0.0/8\n10/8\n');
  t.match(
    await check(),
    /BAD {2}networks-file: networks: networks\.txt:2: found "10\/8"; allowed: a network/,
  );
});
