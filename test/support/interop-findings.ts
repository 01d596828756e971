/**
 * What each peer and the engine were seen to do together: one file a peer, which its test holds against what it sees,
 * and docs/interop-matrix.md, which shows all of them.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import {
  CIPHER_SUITES,
  ExtensionType,
  ProtocolVersion,
  type ProtocolVersionName,
} from '../../src/tls/index.js';

/** By a name of what was tried; absent what was not seen to work. */
export interface Findings {
  readonly peer: string;
  /** By suite and version: marks as in the document's legend. */
  readonly handshakes: Readonly<Record<string, Partial<Record<ProtocolVersionName, string>>>>;
  /** `used`: the engine answered it or acted upon it. */
  readonly extensions: Readonly<Record<string, 'used' | 'offered'>>;
  /** Extension types that the engine does not know. */
  readonly ignored: readonly number[];
  readonly scenarios: Readonly<Record<string, true>>;
  /** Bytes that went each way by one cipher of each kind. */
  readonly bulk: number;
}

const FOLDER = new URL('../interop/engine/seen/', import.meta.url);
const DOCUMENT = new URL('../../docs/interop-matrix.md', import.meta.url);
/** Set to write what was seen instead of checking it. */
const WRITE = process.env['OLDHELLO_WRITE_MATRIX'] !== undefined;

/** @param name of the file, without its suffix */
export function checkFindings(t: Test, name: string, findings: Findings): void {
  const file = new URL(`${name}.json`, FOLDER);
  if (WRITE) writeFileSync(file, `${JSON.stringify(findings, null, 2)}\n`);
  t.strictSame(findings, read(file), `test/interop/engine/seen/${name}.json says what was seen`);
}

/** @param names of scenarios, in the order of the document */
export function checkDocument(t: Test, scenarios: readonly string[]): void {
  const files = readdirSync(FOLDER).sort();
  const document = documentOf(
    files.map((file) => read(new URL(file, FOLDER))),
    scenarios,
  );
  if (WRITE) writeFileSync(DOCUMENT, document);
  t.equal(readFileSync(DOCUMENT, 'utf8'), document, 'npm run docs:matrix would change nothing');
}

const read = (file: URL): Findings => JSON.parse(readFileSync(file, 'utf8')) as Findings;

const VERSIONS = Object.keys(ProtocolVersion) as ProtocolVersionName[];

function documentOf(all: readonly Findings[], scenarios: readonly string[]): string {
  const extensions = [...new Set(all.flatMap((findings) => Object.keys(findings.extensions)))];
  const ordered = EXTENSION_ORDER.filter((name) => extensions.includes(name));
  const peers = all.map(({ peer }) => peer);
  return [
    HEAD,
    '## Extensions',
    '',
    EXTENSIONS_LEGEND,
    '',
    ...table(
      ['', ...peers],
      [
        ...ordered.map((name) => [name, ...all.map((findings) => findings.extensions[name] ?? '')]),
        ['others, ignored', ...all.map(({ ignored }) => ignored.join(' '))],
      ],
    ),
    '',
    '## Keys, groups and special cases',
    '',
    SCENARIOS_LEGEND,
    '',
    ...table(
      ['', ...peers],
      [
        ['data each way, by one cipher of each kind', ...all.map(({ bulk }) => `${bulk / 1024} KiB`)],
        ...scenarios.map((name) => [
          name,
          ...all.map((findings) => (findings.scenarios[name] === true ? 'yes' : '')),
        ]),
      ],
    ),
    '',
    ...all.flatMap(({ peer, handshakes }) => [
      `## ${peer}`,
      '',
      ...table(
        ['', ...VERSIONS],
        CIPHER_SUITES.flatMap(({ name }) => {
          const marks = handshakes[name];
          return marks === undefined ? [] : [[name, ...VERSIONS.map((version) => marks[version] ?? '')]];
        }),
      ),
      '',
    ]),
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)];
}

const EXTENSION_ORDER = [
  ...Object.keys(ExtensionType),
  'TLS_EMPTY_RENEGOTIATION_INFO_SCSV',
  'TLS_FALLBACK_SCSV',
] as const;

const HEAD = `# What the engine was seen to do with others

The engine alone, without the proxy around it, against TLS clients written by others, each told to offer one cipher suite
and one version at a time, for all that it can be told to offer. Everything here was seen by the tests in
\`test/interop/engine\`, which fail when it is no longer true; \`npm run docs:matrix\` writes it anew.

The tables of the peers, at the end, have a line for each cipher suite and these marks:

- \`R\`: a full handshake with a hello in record format; \`2\`: with one in SSLv2 format. Each was made at least twice,
  with data both ways (one byte, and 50,000 or 4,096 of them) and an orderly close, begun by the client once and by the
  server once.
- \`i\`: a connection after that resumed the session by its id; \`t\`: by a session ticket. After a first contact in
  SSLv2 format that connection has a hello in record format, as the RFCs ask for.
- No mark: the client does not offer this, or the protocol has no such suite.
`;

const EXTENSIONS_LEGEND = `Of the hellos of all those handshakes: \`used\` says that the engine answered the extension or acted upon it, \`offered\`
that it came and nothing asked for more. Numbers are extension types that the engine does not know and must ignore.`;

const SCENARIOS_LEGEND = `Each is a handshake with data both ways, except where a refusal is what must happen. Empty: that client cannot be told
to do this, or does not offer it. tlslite-ng has its ciphers in Python, and gnutls-cli writes a byte at a time, hence
less data there.`;
