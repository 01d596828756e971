/** Every way in which a connection can fail, in the words of the log. */
import { NOT_TLS } from '../../src/observe/explain.js';
import type { Explained } from '../../src/observe/explained.js';
import { OTHER_ALERTS, PEER_ALERTS } from '../../src/observe/peer-alerts.js';
import { GATE_ADVICE, REFUSAL_ADVICE } from '../../src/observe/advice.js';
import { NEEDS } from '../../src/observe/hello/needs.js';
import { OUTCOMES } from '../../src/observe/outcomes.js';
import { BACKEND_ADVICE, BACKEND_FAILURES } from '../../src/proxy/backend/backend-error.js';
import { GATE_REFUSALS } from '../../src/smtp/gate-refusals.js';
import { REFUSALS, type Fault, type RefusalReason } from '../../src/tls/index.js';
import { LIMITS } from '../../src/policy/limits.js';
import type { Blocks } from './blocks.js';
import { table } from './table.js';

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
const codes = (entries: Readonly<Record<string, Row>>): string =>
  table(['code', 'what happened', 'caused by', 'what to do'], rows(entries));

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

/** By the name of their block: every code that has a meaning and a remedy. */
export const FAILURES: Readonly<Record<string, Readonly<Record<string, Row>>>> = {
  outcomes,
  refusals,
  'peer-alerts': PEER_ALERTS,
  'not-tls': NOT_TLS,
  smtp: gate,
  backends: backend,
};

export const troubleshooting = (): Blocks => ({
  ...Object.fromEntries(Object.entries(FAILURES).map(([name, entries]) => [name, codes(entries)])),
  'other-alerts': `Any other alert: ${OTHER_ALERTS.meaning}; ${OTHER_ALERTS.remedy}.`,
  limits: table(
    ['code', 'what happened', 'what to do'],
    Object.entries(LIMITS).map(([code, row]) => [`\`${code}\``, row.meaning, row.remedy]),
  ),
  needs: table(
    ['code', 'this client'],
    Object.entries(NEEDS).map(([code, meaning]) => [`\`${code}\``, meaning]),
  ),
});
