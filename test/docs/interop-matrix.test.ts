/** docs/interop-matrix.md: what the engine and its peers were seen to do, as their tests have written it down. */
import { test } from 'tap';
import {
  CIPHER_SUITES,
  ExtensionType,
  ProtocolVersion,
  type ProtocolVersionName,
} from '../../src/tls/index.js';
import { SCENARIOS } from '../support/engine-scenarios.js';
import { checkDoc, table } from '../support/generated-doc.js';
import { allFindings, type Findings } from '../support/interop-findings.js';

function extensions(all: readonly Findings[]): string {
  const seen = EXTENSION_ORDER.filter((name) =>
    all.some((findings) => findings.extensions[name] !== undefined),
  );
  const rows = [
    ...seen.map((name) => [name, ...all.map((findings) => findings.extensions[name] ?? '')]),
    ['others, ignored', ...all.map(({ ignored }) => ignored.join(' '))],
  ];
  return section('Extensions', EXTENSIONS_LEGEND, table(['', ...all.map(({ peer }) => peer)], rows));
}

function scenarios(all: readonly Findings[]): string {
  const rows = [
    ['data each way, by one cipher of each kind', ...all.map(({ bulk }) => `${bulk / 1024} KiB`)],
    ...Object.keys(SCENARIOS).map((name) => [
      name,
      ...all.map((findings) => (findings.scenarios[name] === true ? 'yes' : '')),
    ]),
  ];
  const header = ['', ...all.map(({ peer }) => peer)];
  return section('Keys, groups and special cases', SCENARIOS_LEGEND, table(header, rows));
}

function handshakes({ peer, handshakes: seen }: Findings): string {
  const rows = CIPHER_SUITES.filter(({ name }) => seen[name] !== undefined).map(({ name }) => [
    name,
    ...VERSIONS.map((version) => seen[name]![version] ?? ''),
  ]);
  return `## ${peer}\n\n${table(['', ...VERSIONS], rows)}\n`;
}

const section = (title: string, text: string, rows: string): string => `## ${title}\n\n${text}\n\n${rows}\n`;

const VERSIONS = Object.keys(ProtocolVersion) as ProtocolVersionName[];

const EXTENSION_ORDER = [
  ...Object.keys(ExtensionType),
  'TLS_EMPTY_RENEGOTIATION_INFO_SCSV',
  'TLS_FALLBACK_SCSV',
] as const;

const INTRODUCTION = `# What the engine was seen to do with others

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

test('docs/interop-matrix.md shows every finding', async (t) => {
  const all = allFindings();
  const page = [INTRODUCTION, extensions(all), scenarios(all), ...all.map(handshakes)].join('\n');
  checkDoc(t, 'interop-matrix.md', page);
});
