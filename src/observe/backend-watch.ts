/**
 * Reports once when a backend goes down and once when it is up again, however many connections and health checks notice
 * it.
 */
import type { LogChannel } from './log.js';

export interface BackendWatch {
  /** Names of the listeners whose backend is down. */
  unready(): readonly string[];
}

interface Failures {
  readonly count: number;
  readonly since: number;
  readonly isDown: boolean;
}

export function watchBackends(channel: LogChannel): BackendWatch {
  const failures = new Map<string, Failures>();
  const backendOf = new Map<string, string>();
  const succeeded = (backend: string): void => {
    const before = failures.get(backend);
    failures.delete(backend);
    if (before?.isDown !== true) return;
    channel.log('backend_up', { backend, down: Math.round((performance.now() - before.since) / 1000) });
  };
  const failed = (backend: string, reason: string, threshold: number): void => {
    const before = failures.get(backend);
    const count = (before?.count ?? 0) + 1;
    const isDown = before?.isDown === true || count >= threshold;
    failures.set(backend, { count, since: before?.since ?? performance.now(), isDown });
    if (isDown && before?.isDown !== true) channel.log('backend_down', { backend, reason });
  };
  channel.subscribe(({ event, fields }) => {
    if (event === 'configuration') failures.clear();
    else if (event === 'listening') backendOf.set(fields.listener, fields.backend);
    else if (event === 'listening_ended') backendOf.delete(fields.listener);
    else if (event === 'backend_connection' || event === 'backend_health') {
      if (fields.failure === undefined) succeeded(fields.backend);
      else failed(fields.backend, fields.failure, event === 'backend_health' ? 1 : FAILED_CONNECTIONS);
    }
  });
  return {
    unready: () =>
      [...backendOf].flatMap(([listener, backend]) =>
        failures.get(backend)?.isDown === true ? [listener] : [],
      ),
  };
}

/** In a row: a single one may come from a connection limit of the backend. */
const FAILED_CONNECTIONS = 3;
