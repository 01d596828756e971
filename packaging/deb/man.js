/** The manual pages, from what the program says of itself and from the table of configuration keys. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * oldhello(1), from `--help` of the program and of each command.
 * @param {string} dist the built program
 * @param {{ version: string, date: string }} release
 */
export function programPage(dist, { version, date }) {
  const help = (...args) =>
    execFileSync(process.execPath, [join(dist, 'cli.js'), ...args, '--help'], { encoding: 'utf8' }).trim();
  const overview = help();
  const commands = [...overview.matchAll(/^ {2}oldhello ([a-z][a-z-]*) /gm)].map(([, name]) => name);
  const exitCodes = /^Exit codes: (.*)$/m.exec(overview)?.[1] ?? '';
  return [
    title('OLDHELLO', 1, version, date, 'User Commands'),
    '.SH NAME',
    'oldhello \\- TLS proxy in front of a mail server, for clients with very old TLS',
    '.SH SYNOPSIS',
    '.B oldhello',
    '.I COMMAND',
    '[\\fIOPTION\\fR]...',
    '.SH COMMANDS',
    ...commands.flatMap((name) => [`.SS ${name}`, ...verbatim(help(name))]),
    '.SH EXIT STATUS',
    escape(exitCodes),
    '.SH FILES',
    '.I /etc/oldhello/oldhello.toml',
    '.SH SEE ALSO',
    '.BR oldhello.toml (5)',
    '',
  ].join('\n');
}

/**
 * oldhello.toml(5), from the table of configuration keys.
 * @param {string} dist the built program
 * @param {{ version: string, date: string }} release
 */
export async function configurationPage(dist, { version, date }) {
  const { LISTS, SECTIONS, TABLES } = await import(pathToFileURL(join(dist, 'config/schema.js')).href);
  const tables = Object.entries(TABLES).flatMap(([name, doc]) => [
    `.SH ${name in LISTS ? `[[${name}]]` : `[${name}]`}`,
    escape(doc),
    ...Object.entries({ ...SECTIONS, ...LISTS }[name]).flatMap(([key, declared]) => keyEntry(key, declared)),
  ]);
  return [
    title('OLDHELLO.TOML', 5, version, date, 'File Formats'),
    '.SH NAME',
    'oldhello.toml \\- configuration of oldhello',
    '.SH DESCRIPTION',
    escape(
      'The file is TOML 1.0, in UTF-8. Durations are written "500ms", "30s", "5m" or "1h". Relative paths are relative to the folder of the file; "credential:NAME" in the place of a path is a credential of systemd. What oldhello does not know stops it at start.',
    ),
    ...tables,
    '.SH FILES',
    '.I /etc/oldhello/oldhello.toml',
    '.SH SEE ALSO',
    '.BR oldhello (1)',
    '',
  ].join('\n');
}

function keyEntry(key, { doc, format, default: standard, required }) {
  const without = standard === undefined ? 'unset' : JSON.stringify(standard);
  return [
    '.TP',
    `.B ${escape(key)}`,
    escape(doc),
    '.br',
    escape(`Allowed: ${format.allowed}. ${required ? 'Required.' : `Default: ${without}.`}`),
  ];
}

function title(name, section, version, date, manual) {
  return `.TH ${name} ${section} ${date} "oldhello ${version}" "${manual}"`;
}

function verbatim(text) {
  return ['.nf', ...text.split('\n').map(escape), '.fi'];
}

/** For groff: no escapes, no request at the start of a line, hyphens that stay what they are (man-pages(7)). */
function escape(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1');
}
