/** Tells when a backend goes away and when it is back, once for all the connections that notice. */
import type { LogChannel } from './log.js';

export function watchBackends(channel: LogChannel): void {
  const failures = new Map<string, { count: number; since: number }>();
  channel.subscribe(({ event, fields }) => {
    if (event === 'configuration') failures.clear();
    if (event !== 'backend_connection') return;
    const { backend, failure } = fields;
    const before = failures.get(backend);
    if (failure === undefined) {
      failures.delete(backend);
      if (before === undefined || before.count < DOWN_AFTER) return;
      channel.log('backend_up', { backend, down: Math.round((performance.now() - before.since) / 1000) });
      return;
    }
    const { count = 0, since = performance.now() } = before ?? {};
    failures.set(backend, { count: count + 1, since });
    if (count + 1 === DOWN_AFTER) channel.log('backend_down', { backend, reason: failure });
  });
}

/** Failures in a row: one alone may be a limit of the backend's. */
const DOWN_AFTER = 3;
