/** Whether the log has every session that began, as it was. */
import type { ConnectionEvent } from '../../src/observe/connection-record.js';
import type { LogLine } from '../support/program.js';

/** @param longest seconds */
export function checkSessions(
  log: readonly LogLine[],
  longest: number,
): { readonly holds: boolean; readonly what: string }[] {
  const named = (name: string): LogLine[] => log.filter(({ event }) => event === name);
  const sessions = named('connection_closed') as unknown as ConnectionEvent[];
  const ended = new Set(sessions.map(({ connection }) => connection));
  const missing = named('connection_opened').filter(({ connection }) => !ended.has(connection as string));
  const odd = sessions.filter(({ durations: { total } }) => total < 0 || total > longest * 1000);
  const outcomes = new Map<string, number>();
  for (const { outcome } of sessions) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const counts = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  const bad = BAD_EVENTS.flatMap(named).map((line) => JSON.stringify(line));
  return [
    { holds: missing.length === 0, what: `every session that began has its line: ${counts}` },
    { holds: ended.size === sessions.length, what: 'and only one' },
    { holds: odd.length === 0, what: 'none lasted less than nothing, or longer than the soak' },
    { holds: bad.length === 0, what: `the log has none of ${BAD_EVENTS.join(', ')} ${bad.join(' ')}` },
  ];
}

/** What means that oldhello itself, or what we took away from its log, is at fault. */
const BAD_EVENTS = ['internal_error', 'log_dropped', 'reload_failed', 'worker_lost'];
