/** What README says of Node and of the packages that an installed oldhello needs is what package-lock.json has. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';

const ROOT = new URL('../../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, ROOT), 'utf8');

interface LockEntry {
  readonly dev?: boolean;
  readonly engines?: { readonly node?: string };
}

const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockEntry> };
const production = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);

test('README has the number of packages that npm install -g brings', (t) => {
  const [, number] = /the\s+(\d+) packages that it needs/.exec(read('README.md')) ?? [];
  t.equal(Number(number), production.length);
  t.end();
});

test('every package that comes along runs on each Node that package.json names', (t) => {
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  const oldest = engines.node.split(' || ').map((range) => versionIn(range));
  t.strictSame(oldest, [
    [20, 19, 0],
    [22, 13, 0],
    [24, 0, 0],
  ]);
  for (const [path, entry] of production) {
    const range = entry.engines?.node ?? '*';
    for (const version of oldest) t.ok(isIn(version, range), `${path}: ${version.join('.')} is in ${range}`);
  }
  t.match(read('README.md'), 'Node 20.19, 22.13, or 24 and later');
  t.end();
});

/** Ranges of the forms ^1.2.3, >=1.2.3 and *, joined by ||; anything else is in none. */
function isIn(version: readonly number[], range: string): boolean {
  return range.split('||').some((part) => {
    const [, operator] = /^(\^|>=|\*)/.exec(part.trim()) ?? [];
    if (operator === '*') return true;
    const lowest = versionIn(part);
    const isLater = compare(version, lowest) >= 0;
    return operator === '^' ? isLater && version[0] === lowest[0] : operator === '>=' && isLater;
  });
}

function versionIn(range: string): number[] {
  const parts = /\d+(?:\.\d+)*/.exec(range)?.[0].split('.').map(Number) ?? [];
  return [0, 1, 2].map((index) => parts[index] ?? 0);
}

function compare(one: readonly number[], other: readonly number[]): number {
  const differing = one.findIndex((part, index) => part !== other[index]);
  return differing < 0 ? 0 : one[differing]! - other[differing]!;
}
