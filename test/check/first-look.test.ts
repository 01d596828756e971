/** What an administrator sees who runs `oldhello check` on a configuration with the usual mistakes. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, type Test } from 'tap';
import { makeSelfSigned } from '../../src/credentials/self-signed.js';
import { exposedOf } from '../../src/credentials/exposed-files.js';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const isRoot = process.getuid?.() === 0;
/** Who owns nothing. */
const NOBODY = 65_534;

const LISTENER =
  '[[listener]]\nname = "mx"\naddress = "127.0.0.1:2525"\nmode = "starttls"\nbackend = "mta"\n';
const BACKEND = '[[backend]]\nname = "mta"\naddress = "127.0.0.1:1"\nidentity = "proxy-v2"\n';

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-first-look-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  return folder;
}

/** The text of the report, or of the error, with the file's name shortened. */
function check(
  folder: string,
  source: string,
  ...options: string[]
): Promise<{ code: number; text: string }> {
  const file = join(folder, 'f.toml');
  writeFileSync(file, source);
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, 'check', '--config', file, ...options], (error, stdout, stderr) => {
      const code = error === null ? 0 : (error.code as unknown as number);
      resolve({ code, text: (stdout + stderr).replaceAll(`${folder}/`, '') });
    });
  });
}

test('two listeners with one address, and a status page there, are a mistake with its line', async (t) => {
  const second = LISTENER.replace('mx', 'two');
  const { code, text } = await check(
    folderOf(t),
    `${LISTENER}${second}${BACKEND}[admin]\naddress = "127.0.0.1:2525"\n`,
  );
  t.equal(code, 2);
  t.match(text, 'f.toml:8: listener[1].address: 127.0.0.1:2525 is already the address of listener "mx"');
  t.match(text, 'f.toml:16: admin.address: 127.0.0.1:2525 is already the address of listener "mx"');
});

test('an address that is part of another listener on its port is noted with its line', async (t) => {
  const at = (name: string, address: string): string =>
    LISTENER.replace('mx', name).replace('127.0.0.1:2525', address);
  const noted = async (...addresses: string[]): Promise<string> => {
    const listeners = addresses.map((address, index) => at(`l${index}`, address)).join('');
    return (await check(folderOf(t), listeners + BACKEND)).text;
  };
  const part = (line: number, narrow: string, wide: string): RegExp =>
    new RegExp(
      `note .*${narrow} of listener .* is part of ${wide} of listener .*\\n +see f\\.toml:${line}: listener`,
    );
  t.match(
    await noted('0.0.0.0:2525', '127.0.0.1:2525'),
    part(8, '127\\.0\\.0\\.1:2525', '0\\.0\\.0\\.0:2525'),
  );
  t.match(await noted('127.0.0.1:2525', '[::]:2525'), part(3, '127\\.0\\.0\\.1:2525', '\\[::\\]:2525'));
  t.match(await noted('[::]:2525', '[::1]:2525'), part(8, '\\[::1\\]:2525', '\\[::\\]:2525'));
  t.notMatch(await noted('0.0.0.0:2525', '[::1]:2525', '127.0.0.1:2526'), /is part of/);
});

test('tables that change nothing as they stand are noted with their line', async (t) => {
  const spare = BACKEND.replace('mta', 'spare');
  const rest =
    '[admin]\nhost-names = ["x.example"]\n[session-store]\n[[policy]]\nnetworks = ["192.0.2.0/24"]\n';
  const { text } = await check(folderOf(t), `${LISTENER}${BACKEND}${spare}${rest}`);
  t.match(
    text,
    /note file: configuration: without address, neither the status page.*\n +see f\.toml:14: admin\n/,
  );
  t.match(text, /note .*without url, no session store is used\n +see f\.toml:16: session-store\n/);
  t.match(text, /note .*no listener has backend = "spare".*\n +see f\.toml:11: backend\[1\]\.name\n/);
  t.match(text, /note .*it changes nothing for its networks\n +see f\.toml:17: policy\[0\]\n/);
});

test('of several addresses each is tried, and a socket that cannot be used is reported with its path and the remedy', async (t) => {
  const folder = folderOf(t);
  const server = createServer().listen(join(folder, 'made'));
  await once(server, 'listening');
  linkSync(join(folder, 'made'), join(folder, 'left'));
  server.close();
  await once(server, 'close');
  const paths = ['none', 'left'].map((name) => `unix:${join(folder, name)}`);
  const address = JSON.stringify(['127.0.0.1:1', ...paths]);
  const backend = BACKEND.replace(/^address = .*$/m, `address = ${address}`);
  const { code, text } = await check(folder, LISTENER + backend);
  t.equal(code, 1);
  t.match(text, /^BAD {2}backend mta at 127\.0\.0\.1:1, .*ECONNREFUSED.*: no program listens there\n/m);
  t.match(
    text,
    /^BAD {2}backend mta at unix:none, .*ENOENT none: there is no such socket\n.*\n +see that the server/m,
  );
  t.match(
    text,
    /^BAD {2}backend mta at unix:left, .*ECONNREFUSED left: the file is there, and nothing listens/m,
  );
});

test(
  'a socket that the user may not use is reported with the remedy',
  { skip: !isRoot && 'needs root' },
  async (t) => {
    const folder = folderOf(t);
    const socket = join(folder, 'mta');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    t.teardown(() => server.close());
    chmodSync(folder, 0o755);
    chmodSync(socket, 0o600);
    const backend = BACKEND.replace(/^address = .*$/m, `address = "unix:${socket}"`);
    const file = join(folder, 'f.toml');
    writeFileSync(file, LISTENER + backend);
    const as = { uid: NOBODY, gid: NOBODY };
    const text = await new Promise((resolve) => {
      execFile(process.execPath, [CLI, 'check', '--config', file], as, (_, stdout) => resolve(stdout));
    });
    t.match(
      text,
      /EACCES \S+\/mta: this user may not use the socket\n.*\n +let the user of the service write to the socket/,
    );
  },
);

test('a backend that refuses the connection, or has no such name, is reported with line, cause and next step', async (t) => {
  const unknown = BACKEND.replace('127.0.0.1', 'no-such-host.invalid');
  const folder = folderOf(t);
  const down = await check(folder, LISTENER + BACKEND);
  t.equal(down.code, 1);
  t.match(
    down.text,
    /ECONNREFUSED.*: no program listens there\n +see f\.toml:8: backend\[0\]\.address\n +check that the server runs/,
  );
  t.match(down.text, /Postfix: a service on this address and port in master\.cf/);
  const nameless = await check(folder, LISTENER + unknown);
  t.match(
    nameless.text,
    /(no such host name|no name server answered)\n +see f\.toml:8: backend\[0\]\.address\n/,
  );
});

test('mistakes in the file and in the files that it names are reported in one run', async (t) => {
  const certificate = '[[certificate]]\nchain = "missing.pem"\nkey = "missing.key"\n';
  const { code, text } = await check(
    folderOf(t),
    `${LISTENER}${BACKEND}${certificate}[tls]\nprofil = "legacy"\n`,
  );
  t.equal(code, 2);
  t.match(text, /f\.toml:12: certificate\[0\]\.key: missing\.key: cannot be read: there is no such file\n/);
  t.match(text, /f\.toml:14: tls\.profil: unknown key; did you mean profile\?\n/);
});

test('a key that cannot be loaded brings no second finding about keys that are missing', async (t) => {
  const folder = folderOf(t);
  const { chainPem, keyPem } = makeSelfSigned('mail.example');
  writeFileSync(join(folder, 'chain.pem'), chainPem);
  for (const [name, key, seen] of [
    ['another key', makeSelfSigned('other.example').keyPem, /is not the key of any certificate/],
    ['no key', 'x', /holds no usable private key/],
    ['an encrypted key', keyPem.replaceAll('PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'), /is encrypted/],
  ] as const) {
    writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
    const certificate = '[[certificate]]\nchain = "chain.pem"\nkey = "key.pem"\n';
    const { text } = await check(folder, LISTENER + BACKEND + certificate);
    t.match(text, seen, name);
    t.match(text, /see f\.toml:12: certificate\[0\]\.key/, name);
    t.notMatch(text, /none has an RSA key/, name);
  }
});

test('a PKCS#12 file in place of the chain is recognized', async (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, 'mail.crt'), Buffer.from('308209c10201033082098706092a864886f70d010701', 'hex'));
  writeFileSync(join(folder, 'key.pem'), makeSelfSigned('mail.example').keyPem, { mode: 0o600 });
  const certificate = (chain: string): string => `[[certificate]]\nchain = "${chain}"\n`;
  const named = await check(folder, `${LISTENER}${BACKEND}${certificate('mail.p12')}`);
  t.match(named.text, 'f.toml:10: certificate[0].key: is missing; a PKCS#12 file holds both: write pkcs12 =');
  const seen = await check(folder, `${LISTENER}${BACKEND}${certificate('mail.crt')}key = "key.pem"\n`);
  t.match(seen.text, 'is a PKCS#12 file, not PEM; in the configuration: pkcs12 =');
});

test(
  'root checks whether the user of the service can read the files',
  { skip: !isRoot && 'needs root' },
  async (t) => {
    const folder = folderOf(t);
    const { chainPem, keyPem } = makeSelfSigned('mail.example');
    writeFileSync(join(folder, 'chain.pem'), chainPem, { mode: 0o644 });
    writeFileSync(join(folder, 'key.pem'), keyPem, { mode: 0o600 });
    const source = `${LISTENER}${BACKEND}[[certificate]]\nchain = "chain.pem"\nkey = "key.pem"\n`;
    const closed = await check(folder, source, '--user', 'daemon');
    t.equal(closed.code, 1);
    t.match(
      closed.text,
      /BAD {2}user daemon: access: the service runs as this user, which cannot read key\.pem\n/,
    );
    t.match(
      closed.text,
      /see f\.toml:12: certificate\[0\]\.key\n +chgrp daemon key\.pem && chmod 640 key\.pem/,
    );
    chownSync(join(folder, 'key.pem'), 0, 1);
    chmodSync(join(folder, 'key.pem'), 0o640);
    const open = await check(folder, source, '--user', 'daemon');
    t.match(
      open.text,
      /good user daemon: access: the service runs as this user, which can read chain\.pem, key\.pem\n/,
    );
    t.match(open.text, /good certificate 1: certificate: /, 'and its own group may read the key');
    chmodSync(join(folder, 'key.pem'), 0o644);
    const exposed = await check(folder, source, '--user', 'daemon');
    t.match(
      exposed.text,
      /BAD {2}certificate 1: .*other users than the service can read .*key\.pem .*0644.*\n.*\n +chmod o= key\.pem/,
    );
    t.match(await check(folder, source, '--user', 'no-such-user'), {
      code: 1,
      text: /no user "no-such-user"/,
    });
  },
);

test('a file is exposed where its mode lets others than the service have it, and not by the group of the service', async (t) => {
  const folder = folderOf(t);
  const file = join(folder, 'key.pem');
  const modes = (mode: number, groups: number[]): unknown => {
    writeFileSync(file, '');
    chmodSync(file, mode);
    return exposedOf([file], groups).map(({ remedy }) => remedy.replace(file, 'FILE'));
  };
  if (isRoot) {
    writeFileSync(file, '');
    chownSync(file, 0, 4);
  }
  const gid = isRoot ? 4 : process.getgid!();
  t.same(modes(0o600, []), []);
  t.same(modes(0o640, [gid]), []);
  t.same(modes(0o640, [gid + 1]), ['chmod g= FILE']);
  t.same(modes(0o644, [gid]), ['chmod o= FILE']);
  t.same(modes(0o666, []), ['chmod g=,o= FILE']);
});
