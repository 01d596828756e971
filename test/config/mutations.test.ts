/** Whatever becomes of the example configuration, it is accepted or refused in words, and never anything else. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'tap';
import { ConfigError, parseConfig } from '../../src/config/load.js';

const EXAMPLE = readFileSync(new URL('../../conf/oldhello.toml', import.meta.url), 'utf8');
/** With the examples behind # switched on, so that there is more to damage. */
const FULL = EXAMPLE.replace(/^# (?=\[\[|[\w-]+ = )/gm, '');
const LINES = FULL.split('\n');

/** Anything but "accepted" and "refused" is a defect. */
function verdict(source: string): string {
  try {
    parseConfig(source, 'f.toml', undefined);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof ConfigError)) return String(error);
    const lines = source.split('\n').length;
    const bad = error.problems.find(({ line, message }) => {
      return line === undefined ? !message.startsWith('there is no [[') : line < 1 || line > lines;
    });
    return bad === undefined && error.problems.length > 0 ? 'refused' : `placeless: ${error.message}`;
  }
}

const pieces = [
  '"',
  "'",
  '"""',
  '[',
  ']',
  '[[',
  ']]',
  '{',
  '}',
  ',',
  '.',
  '=',
  '#',
  '\n',
  '\r',
  '\0',
  '\\',
  '\\u',
  '\uFEFF',
  '\uD800',
  '🙂',
  '-1',
  '0',
  '1e9',
  'nan',
  'inf',
  'true',
  '1979-05-27',
  '__proto__',
  'constructor',
  '[tls]\n',
  '[[policy]]\n',
  'x = 1\n',
  '"credential:x"',
  '[{}]',
  '[[1]]',
  'networks = []\n',
];
const place = fc.nat({ max: FULL.length });
const line = fc.nat({ max: LINES.length - 1 });
const mutation = fc.oneof(
  fc.tuple(place, fc.constantFrom(...pieces)).map(
    ([at, piece]) =>
      (text: string) =>
        text.slice(0, at) + piece + text.slice(at),
  ),
  fc.tuple(place, fc.nat({ max: 40 })).map(
    ([at, length]) =>
      (text: string) =>
        text.slice(0, at) + text.slice(at + length),
  ),
  fc.tuple(place, fc.string({ unit: 'binary', maxLength: 8 })).map(
    ([at, piece]) =>
      (text: string) =>
        text.slice(0, at) + piece + text.slice(at + piece.length),
  ),
  fc.tuple(line, line).map(([from, to]) => (text: string) => {
    const lines = text.split('\n');
    lines.splice(to, 0, ...lines.splice(from, 1));
    return lines.join('\n');
  }),
  line.map((at) => (text: string) => text.split('\n').toSpliced(at, 0, LINES[at]!).join('\n')),
  fc.tuple(line, fc.constantFrom(...pieces)).map(([at, value]) => (text: string) => {
    const lines = text.split('\n');
    lines[at] = (lines[at] ?? '').replace(/=.*/, `= ${value}`);
    return lines.join('\n');
  }),
);

test('the example configuration is accepted as it stands', async (t) => {
  t.equal(verdict(EXAMPLE), 'accepted');
});

test('a damaged example configuration is accepted or refused with lines, never an exception', async (t) => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.constantFrom(EXAMPLE, FULL),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      (start, mutations) => {
        const source = mutations.reduce((text, mutate) => mutate(text), start);
        const what = verdict(source);
        seen.add(what);
        return what === 'accepted' || what === 'refused';
      },
    ),
    { numRuns: 2_000 },
  );
  t.ok(seen.has('accepted') && seen.has('refused'), 'and both happen');
});
