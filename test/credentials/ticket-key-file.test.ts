import { chmodSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { readTicketKeyFile } from '../../src/credentials/ticket-key-file.js';

function put(t: Test, text: string, mode = 0o600): string {
  const file = join(t.testdir(), 'ticket.keys');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

test('keys are read in base64 and in hexadecimal digits, in their order, between comments', async (t) => {
  const [one, two] = [randomBytes(48), randomBytes(48)];
  const file = put(t, `# made on Monday\r\n${one.toString('base64')}\r\n\n  ${two.toString('hex')}  \n`);
  t.same(await readTicketKeyFile(file), { path: file, keys: [one, two], exposed: [] });
});

test('a file that others may read is listed, with what to do', async (t) => {
  const file = put(t, randomBytes(48).toString('base64'), 0o644);
  t.same((await readTicketKeyFile(file)).exposed, [{ file, mode: '0644', remedy: `chmod o= ${file}` }]);
});

test('an error is reported with its line and the remedy, and without the content of the file', async (t) => {
  const key = randomBytes(48).toString('base64');
  const short = randomBytes(47).toString('base64');
  const keys = Array.from({ length: 17 }, () => randomBytes(48).toString('hex'));
  for (const [text, message] of [
    ['', /: has no key; a key is a line of 64 characters as "openssl rand -base64 48" writes it/],
    ['# nothing yet\n', /: has no key; /],
    [`${key}\n${short}\n`, /: line 2 is not a key; .*openssl rand/],
    [`${key}\n# \n${key}\n`, /: line 3 has the same first 16 bytes as line 1/],
    [keys.join('\n'), /: has 17 keys, and at most 16 are allowed; remove the oldest/],
    ['\n'.repeat(9000), /: is longer than 8192 bytes/],
  ] as const) {
    const file = put(t, text);
    const error = await readTicketKeyFile(file).then(
      () => t.fail('was taken'),
      (reason: unknown) => reason as Error,
    );
    t.match(error, { name: 'CredentialError', key: 'ticket-key-file', message });
    t.ok((error as Error).message.startsWith(`${file}: `));
    for (const secret of [key, short]) t.notMatch((error as Error).message, secret.slice(0, 20));
  }
});

test('a file that cannot be read is an error that names it', async (t) => {
  const file = join(t.testdir(), 'nowhere');
  await t.rejects(readTicketKeyFile(file), {
    message: `${file}: cannot be read: ENOENT: no such file or directory, open '${file}'`,
  });
  await t.rejects(readTicketKeyFile(t.testdir()), { message: /: cannot be read: EISDIR/ });
});
