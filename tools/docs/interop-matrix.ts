/** What the engine and its peers were seen to do, as their tests have recorded it. */
import {
  CIPHER_SUITES,
  ExtensionType,
  ProtocolVersion,
  type ProtocolVersionName,
} from '../../src/tls/index.js';
import { SCENARIOS } from '../../test/support/engine-scenarios.js';
import type { Blocks } from './blocks.js';
import { table } from './table.js';
import { allFindings, type Findings } from '../../test/support/interop-findings.js';

function extensions(all: readonly Findings[]): string {
  const seen = EXTENSION_ORDER.filter((name) =>
    all.some((findings) => findings.extensions[name] !== undefined),
  );
  const rows = [
    ...seen.map((name) => [name, ...all.map((findings) => findings.extensions[name] ?? '')]),
    ['others, ignored', ...all.map(({ ignored }) => ignored.join(' '))],
  ];
  return table(['', ...all.map(({ peer }) => peer)], rows);
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
  return table(header, rows);
}

function handshakes({ peer, handshakes: seen }: Findings): string {
  const rows = CIPHER_SUITES.filter(({ name }) => seen[name] !== undefined).map(({ name }) => [
    name,
    ...VERSIONS.map((version) => seen[name]![version] ?? ''),
  ]);
  return `## ${peer}\n\n${table(['', ...VERSIONS], rows)}`;
}

const VERSIONS = Object.keys(ProtocolVersion) as ProtocolVersionName[];

const EXTENSION_ORDER = [
  ...Object.keys(ExtensionType),
  'TLS_EMPTY_RENEGOTIATION_INFO_SCSV',
  'TLS_FALLBACK_SCSV',
] as const;

export function interopMatrix(): Blocks {
  const all = allFindings();
  return {
    extensions: extensions(all),
    scenarios: scenarios(all),
    handshakes: all.map(handshakes).join('\n\n'),
  };
}
