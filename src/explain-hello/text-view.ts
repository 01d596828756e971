/** An explanation for people. */
import type { Explanation, ReadHello } from './explanation.js';
import type { Answer } from './verdict.js';

export function textOf({ hello, problem, profiles, profile }: Explanation): string {
  const lines = [
    ...(problem === undefined ? [] : [problem]),
    ...(hello === undefined ? [] : helloLines(hello)),
    '',
    'With an RSA certificate, the profiles answer:',
    ...profiles.map(answerLine),
    '',
    adviceOf(profiles, profile),
  ];
  return lines.join('\n');
}

function helloLines(hello: ReadHello): string[] {
  const { format, version, library, fingerprint, serverName, suites, sslv2Kinds, extensions } = hello;
  const rows: [string, string][] = [
    ['format', format === 'sslv2' ? 'SSLv2-format ClientHello' : 'TLS record'],
    ['offers up to', version],
    ['sent by', library === 'unknown' ? 'unknown' : `probably ${library}`],
    [
      'fingerprint',
      `${fingerprint.short}  (${fingerprint.kind === 'ja3' ? 'JA3' : 'MD5'} ${fingerprint.hash})`,
    ],
    ['server name', serverName ?? 'none'],
    ['cipher suites', listed(suites)],
    ...(sslv2Kinds.length === 0 ? [] : [['kinds of SSL 2.0', listed(sslv2Kinds)] as [string, string]]),
    ['extensions', extensions.length === 0 ? 'none' : listed(extensions.map(String))],
    ...hello.needsInWords.map((need, index): [string, string] => [index === 0 ? 'what it needs' : '', need]),
  ];
  return rows.map(([name, value]) => `${name.padEnd(NAME_COLUMNS)}${value}`);
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, MAX_LISTED);
  const more = values.length - shown.length;
  return wrap(shown.join(', ') + (more > 0 ? ` and ${more} more` : ''));
}

/** Breaks at spaces, and indents what follows. */
function wrap(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= TEXT_COLUMNS) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].join(`\n${' '.repeat(NAME_COLUMNS)}`);
}

function answerLine(answer: Answer): string {
  const name = `  ${answer.profile.padEnd(NAME_COLUMNS - 2)}`;
  if (!answer.serves) return `${name}refuses: ${answer.reason}`;
  if (answer.path === 'native') return `${name}serves it with Node's TLS, like every modern client`;
  return `${name}${answer.version} ${answer.suite}`;
}

function adviceOf(profiles: readonly Answer[], profile: string | undefined): string {
  if (profile !== undefined) {
    return `What to set: profile = "${profile}" in [tls], or for the client's network in a [[policy]].`;
  }
  const last = profiles.at(-1);
  return last === undefined || last.serves ? '' : `No profile serves it: ${last.explanation}`;
}

/** Columns. */
const NAME_COLUMNS = 18;
const TEXT_COLUMNS = 82;
/** Real clients offer about a hundred. */
const MAX_LISTED = 150;
