/** docs/troubleshooting.md: every way a session can fail, in the words of the log. */
import { test } from 'tap';
import { NOT_TLS, OTHER_ALERTS, PEER_ALERTS, type Explained } from '../../src/observe/explain.js';
import { NEEDS } from '../../src/observe/hello/needs.js';
import { OUTCOMES } from '../../src/observe/outcomes.js';
import { BACKEND_ADVICE, BACKEND_FAILURES } from '../../src/proxy/backend/backend-error.js';
import { GATE_ADVICE, REFUSAL_ADVICE } from '../../src/observe/advice.js';
import { GATE_REFUSALS } from '../../src/smtp/gate-refusals.js';
import { REFUSALS, type Fault, type RefusalReason } from '../../src/tls/index.js';
import { LIMITS } from '../../src/policy/limits.js';
import { checkDoc, table } from '../support/generated-doc.js';

type Row = Explained & { readonly fault?: string };

const WHOSE: Record<Fault, string> = {
  undecodable: 'client: cannot be read',
  misbehaved: 'client: forbidden',
  incompatible: 'nobody: no common ground',
  local: 'oldhello',
};

const rows = (entries: Readonly<Record<string, Row>>): string[][] =>
  Object.entries(entries).map(([code, row]) => [
    `\`${code}\``,
    row.meaning,
    row.fault ?? 'client',
    row.remedy,
  ]);
const section = (title: string, text: string, entries: Readonly<Record<string, Row>>): string =>
  `## ${title}\n\n${text}\n\n${table(['code', 'what happened', 'whose doing', 'what to do'], rows(entries))}`;

const outcomes = Object.fromEntries(
  Object.entries(OUTCOMES).map(([code, row]) => [
    code,
    { meaning: row.meaning, remedy: row.remedy ?? 'nothing', fault: row.fault ?? 'nobody' },
  ]),
);
const refusals = Object.fromEntries(
  Object.entries(REFUSALS).map(([code, row]) => [
    code,
    {
      meaning: `${row.meaning} (alert ${row.alert})`,
      remedy: REFUSAL_ADVICE[code as RefusalReason],
      fault: WHOSE[row.fault],
    },
  ]),
);
const backend = Object.fromEntries(
  Object.entries(BACKEND_FAILURES).map(([code, meaning]) => [
    code,
    { meaning, remedy: BACKEND_ADVICE[code as keyof typeof BACKEND_ADVICE], fault: 'backend' },
  ]),
);

const gate = Object.fromEntries(
  Object.entries(GATE_REFUSALS).map(([code, row]) => [
    code,
    { ...row, remedy: GATE_ADVICE[code as keyof typeof GATE_ADVICE] },
  ]),
);

const PAGE = `# Troubleshooting

Generated from the tables of the program by \`npm run docs\`; do not edit.

Each connection ends with one \`session\` event in the log. Its \`outcome\` says how; \`reason\`, \`alert\` and \`fault\`
say why and whose doing it was; \`explanation\` says so in a sentence, with what to do. These are all of them.

${section('Outcomes', 'The field `outcome`.', outcomes)}

${section(
  'Handshakes that oldhello refuses',
  'The field `reason` where `outcome` is `handshake_refused`, or `tls_error` after the handshake. `alert` is what the client was sent; SSLv3 has fewer, and gets the nearest.',
  refusals,
)}

${section(
  'Handshakes that the client ends',
  'The field `alert` where `outcome` is `peer_alert`.',
  PEER_ALERTS,
)}

Any other alert: ${OTHER_ALERTS.meaning}; ${OTHER_ALERTS.remedy}.

${section('No TLS where it should begin', 'The field `reason` where `outcome` is `not_tls`.', NOT_TLS)}

${section(
  'SMTP that oldhello refuses',
  'The field `reason` where `outcome` is `smtp_refused`, or `backend_failed` where it is the backend that broke SMTP.',
  gate,
)}

${section(
  'Backends',
  "The field `reason` where `outcome` is `backend_failed` or `backend_timeout`. A code in capitals, such as `ECONNRESET`, is the system's, for a connection that broke off.",
  backend,
)}

## Limits

The field \`reason\` where \`outcome\` is \`limit_exceeded\`. Whose doing: yours, and the client's. Where \`outcome\` is
\`client_timeout\`, \`reason\` says what did not come in the time that a key of \`[limits]\` gives it.

${table(
  ['code', 'what happened', 'what to do'],
  Object.entries(LIMITS).map(([code, row]) => [`\`${code}\``, row.meaning, row.remedy]),
)}

## What old clients need

The field \`hello.needs\`: what the client could not have had elsewhere. An empty list: any mail server of today would
serve it.

${table(
  ['code', 'this client'],
  Object.entries(NEEDS).map(([code, meaning]) => [`\`${code}\``, meaning]),
)}
`;

test('docs/troubleshooting.md is what the tables say', async (t) => {
  checkDoc(t, 'troubleshooting.md', PAGE);
});

test('every way to fail says in one sentence what happened, and what to do about it', async (t) => {
  const all: Record<string, Row> = { ...outcomes, ...refusals, ...backend, ...NOT_TLS };
  Object.assign(all, PEER_ALERTS, gate, LIMITS);
  for (const [code, row] of Object.entries(all)) {
    t.match(row.meaning, /^\S.{10,}[^.]$/s, `${code}: what happened`);
    t.match(row.remedy, /^(?:[a-z]).{2,}[^.]$/s, `${code}: what to do, as words that follow a colon`);
  }
});
