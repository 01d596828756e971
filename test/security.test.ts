/** docs/security.md names the tests that show what it says; here they are looked for. */
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const text = read('docs/security.md');

/** Lines that begin like a reference, whether or not they are a right one. */
const REFERENCES = text.split('\n').filter((line) => line.startsWith('- '));

test('each test that docs/security.md names exists', async (t) => {
  t.ok(REFERENCES.length > 40);
  for (const line of REFERENCES) {
    const [, file, title] = /^- `(test\/[\w./-]+\.test\.ts)`: (.+)$/.exec(line) ?? [];
    if (file === undefined || title === undefined) {
      t.fail(line);
      continue;
    }
    const quoted = [`'${title.replaceAll("'", "\\'")}'`, `"${title}"`, `\`${title}\``];
    const source = read(file);
    t.ok(
      quoted.some((one) => source.includes(`test(${one}`)),
      line,
    );
  }
});

test('each attack has its countermeasure, and each but what no server can help is shown by a test', async (t) => {
  const attacks = text.split(/^### /m).slice(1);
  t.ok(attacks.length > 25);
  for (const attack of attacks) {
    const name = attack.slice(0, attack.indexOf('\n'));
    t.match(attack, /^Here: /m, name);
    if (name !== 'STARTTLS stripping') t.match(attack, /^- `test\//m, `${name} is shown by a test`);
  }
});

test('the engine compares bytes in constant time wherever they could be secret', async (t) => {
  const folder = new URL('../src/tls/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  t.ok(files.length > 40);
  const careless = files.filter((name) =>
    /\.equals\(|\bcompare\(/.test(readFileSync(new URL(name, folder), 'utf8')),
  );
  // Certificates, and the public values of Diffie-Hellman.
  t.same(careless.sort(), ['credential.ts', 'crypto/dh-groups.ts']);
});
