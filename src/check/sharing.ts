/** Checks the file with ticket keys and the session store, which several machines share. */
import { statSync } from 'node:fs';
import { UnusableValueError } from '../config/config-error.js';
import type { Config } from '../config/schema.js';
import { tryStore } from '../proxy/resumption/redis-store.js';
import { storeSettings } from '../proxy/resumption/shared-sessions.js';
import { CredentialError } from '../credentials/credential-error.js';
import { readTicketKeyFile } from '../credentials/ticket-key-file.js';
import { day, type CheckName, type Finding, type Verdict } from './finding.js';

/** No finding if no file is configured. */
export async function checkTicketKeys(
  { tls }: Config,
  now: Date,
  groups?: readonly number[],
): Promise<Finding[]> {
  if (tls.ticketKeyFile === undefined) return [];
  const found = finding('tickets', 'ticket keys', 'tls.ticket-key-file');
  try {
    const { path, keys, exposed } = await readTicketKeyFile(tls.ticketKeyFile, groups);
    const changed = statSync(path).mtime;
    const days = Math.floor((now.getTime() - changed.getTime()) / DAY_MS);
    const what = `${path} has ${keys.length} key${keys.length === 1 ? '' : 's'}, and was changed on ${day(changed)}`;
    const problems = [
      ...exposed.map(({ file, mode, remedy }) =>
        found('bad', `other users can read ${file} (mode ${mode}), and with it they can decrypt sessions`, [
          remedy,
        ]),
      ),
      ...(days >= MAX_AGE_DAYS
        ? [found('warning', `${path} was not changed for ${days} days; ${AGE_RISK}`, [AGE_ADVICE])]
        : []),
    ];
    return problems.some(({ verdict }) => verdict === 'bad') ? problems : [found('good', what), ...problems];
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    return [found('bad', error.message)];
  }
}

/** No finding if none is configured. @param timeoutMs for its answer */
export async function checkStore(config: Config, timeoutMs: number): Promise<Finding[]> {
  const found = finding('store', 'session store', 'session-store.url');
  try {
    const settings = storeSettings(config);
    if (settings === undefined) return [];
    const { name, problem, answered } = await tryStore(settings, timeoutMs);
    if (problem !== undefined) return [found('bad', `${name}: ${problem}`, [STORE_ADVICE])];
    const milliseconds = Math.ceil(answered);
    const late = milliseconds > settings.timeout;
    return [
      late
        ? found('warning', `${name} answers within ${milliseconds} ms, but timeout is ${settings.timeout} ms`)
        : found('good', `${name} stores data and answers within ${milliseconds} ms`),
    ];
  } catch (error) {
    if (!(error instanceof UnusableValueError)) throw error;
    return [found('bad', error.message)];
  }
}

type Found = (verdict: Verdict, message: string, advice?: readonly string[]) => Finding;

function finding(check: CheckName, subject: string, key: string): Found {
  return (verdict, message, advice = []) => ({ check, subject, verdict, message, advice, key });
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Keys should change every day; three days allow for a weekend. */
const MAX_AGE_DAYS = 3;
const AGE_RISK = 'with an old key, an attacker can decrypt all sessions of its time';
const AGE_ADVICE =
  'every day, add a new key as the first line and remove the oldest; docs/scaling.md has the commands';
const STORE_ADVICE = 'until this is corrected, sessions resume by id only on the machine that made them';
