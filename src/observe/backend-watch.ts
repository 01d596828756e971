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
  /** Those of each backend, as keys of `failures`. */
  const addresses = new Map<string, Set<string>>();
  const backendOf = new Map<string, string>();
  const isDown = (key: string): boolean => failures.get(key)?.isDown === true;
  const keysOf = (backend: string): Set<string> => {
    const keys = addresses.get(backend) ?? new Set();
    addresses.set(backend, keys);
    return keys;
  };
  const succeeded = ({ backend, address }: Attempt, key: string): void => {
    const before = failures.get(key);
    failures.delete(key);
    if (before?.isDown !== true) return;
    const down = Math.round((performance.now() - before.since) / 1000);
    channel.log('backend_up', { backend, address, down });
  };
  const failed = ({ backend, address }: Attempt, key: string, reason: string, threshold: number): void => {
    const before = failures.get(key);
    const count = (before?.count ?? 0) + 1;
    const down = before?.isDown === true || count >= threshold;
    failures.set(key, { count, since: before?.since ?? performance.now(), isDown: down });
    if (!down || before?.isDown === true) return;
    const left = [...keysOf(backend)].filter((one) => !isDown(one)).length;
    channel.log('backend_down', { backend, address, reason, left });
  };
  const configured = (backends: readonly string[]): void => {
    failures.clear();
    addresses.clear();
    for (const key of backends) keysOf(key.slice(0, key.lastIndexOf(' '))).add(key);
  };
  channel.subscribe(({ event, fields }) => {
    if (event === 'configuration') configured(fields.backends);
    else if (event === 'listening') backendOf.set(fields.listener, fields.backend);
    else if (event === 'listening_ended') backendOf.delete(fields.listener);
    else if (event === 'backend_connection' || event === 'backend_health') {
      const key = `${fields.backend} ${fields.address}`;
      keysOf(fields.backend).add(key);
      if (fields.failure === undefined) succeeded(fields, key);
      else failed(fields, key, fields.failure, event === 'backend_health' ? 1 : FAILED_CONNECTIONS);
    }
  });
  return {
    unready: () =>
      [...backendOf].flatMap(([listener, backend]) => {
        const keys = [...keysOf(backend)];
        return keys.length > 0 && keys.every(isDown) ? [listener] : [];
      }),
  };
}

interface Attempt {
  readonly backend: string;
  readonly address: string;
}

/** In a row: a single one may come from a connection limit of the backend. */
const FAILED_CONNECTIONS = 3;
