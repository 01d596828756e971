/** Collects from the events what the status page shows. Every table is bounded. */
import { AddressTable } from '../../net/address-table.js';
import { hostAndPort } from '../../net/endpoint.js';
import type { EventFields, LogEntry } from '../events.js';
import { helloKind } from '../hello/hello-kind.js';
import { SAMPLE_TIMEOUT_MS } from '../process-sample.js';
import { HelloCounter } from './hello-history.js';
import { RecentSenders } from './recent-senders.js';
import type {
  BackendStatus,
  CertificateStatus,
  SuppressedStatus,
  LimitStatus,
  ListenerStatus,
  LiveConnection,
  ProcessStatus,
  Status,
} from './status-shape.js';

type Open<T> = { -readonly [K in keyof T]: T[K] };

export class StatusBoard {
  readonly #now: () => number;
  readonly #limitText: (name: string, value: number) => string;
  readonly #started: string;
  readonly #hellos: HelloCounter;
  readonly #senders: RecentSenders;
  #program = { version: '', node: '' };
  /** By name and address. */
  readonly #listeners = new Map<string, Omit<ListenerStatus, 'live' | 'connections' | 'failed'>>();
  readonly #totals = new Map<string, { connections: number; failed: number }>();
  /** The oldest first. */
  readonly #live = new Map<string, LiveConnection & { readonly pid: number }>();
  readonly #backends = new Map<string, Open<BackendStatus>>();
  #certificates: CertificateStatus[] = [];
  #limits: Readonly<Record<string, number>> = {};
  readonly #exceeded = new Map<string, number>();
  readonly #suppressed = new AddressTable<SuppressedStatus>(MAX_SUPPRESSED);
  readonly #processes = new Map<number, ProcessStatus>();

  /**
   * @param limitText a value of [limits] as the configuration file has it
   * @param now Unix time in milliseconds
   */
  constructor(limitText: (name: string, value: number) => string, now: () => number = Date.now) {
    this.#limitText = limitText;
    this.#now = now;
    this.#started = this.#time();
    this.#hellos = new HelloCounter(now);
    this.#senders = new RecentSenders(now);
  }

  /** A subscriber of the log's channel. */
  readonly receive = (entry: LogEntry): void => {
    switch (entry.event) {
      case 'started':
        this.#program = { version: entry.fields.version, node: entry.fields.node };
        break;
      case 'configuration':
        this.#certificates = [];
        this.#limits = entry.fields.limits;
        for (const key of this.#backends.keys()) {
          if (!entry.fields.backends.includes(key)) this.#backends.delete(key);
        }
        break;
      case 'certificate':
        this.#certificate(entry.fields);
        break;
      case 'listening': {
        const { listener: name, mode, backend } = entry.fields;
        const address = withPort(entry.fields);
        this.#listeners.set(`${name} ${address}`, { name, address, mode, backend });
        break;
      }
      case 'listening_ended':
        this.#listeners.delete(`${entry.fields.listener} ${withPort(entry.fields)}`);
        break;
      case 'connection_opened': {
        const { connection, listener, client, pid } = entry.fields;
        const { address } = client;
        this.#live.set(connection, { connection, listener, address, since: this.#time(), pid });
        break;
      }
      case 'connection_closed':
        this.#closed(entry.fields);
        break;
      case 'worker_lost':
        this.#forgetProcess(entry.fields.pid);
        break;
      case 'backend_health':
        this.#backendState(entry.fields);
        break;
      case 'backend_connection':
        this.#backendConnection(entry.fields);
        break;
      case 'starttls_suppressed':
        this.#starttlsSuppressed(entry.fields);
        break;
      case 'process_sample': {
        const { pid, delay99, memory } = entry.fields;
        this.#processes.set(pid, { pid, delay: delay99, memory, seen: this.#time() });
        break;
      }
      default:
    }
  };

  status(): Status {
    this.#forget();
    return {
      ...this.#program,
      now: this.#time(),
      started: this.#started,
      listeners: this.#listenerList(),
      connections: {
        total: this.#live.size,
        newest: [...this.#live.values()]
          .slice(-MAX_LIVE_SHOWN)
          .reverse()
          .map(({ connection, listener, address, since }) => ({ connection, listener, address, since })),
      },
      hellos: this.#hellos.history(),
      senders: this.#senders.list(),
      backends: [...this.#backends.values()],
      certificates: this.#certificates,
      limits: this.#limitList(),
      suppressed: [...this.#suppressed.values()].reverse(),
      processes: [...this.#processes.values()],
    };
  }

  #certificate({ source, subject, issuer, keyAlgorithm, use, notAfter }: EventFields<'certificate'>): void {
    this.#certificates.push({ source, subject, issuer, key: keyAlgorithm, use, notAfter });
  }

  #closed(closed: EventFields<'connection_closed'>): void {
    const { connection, listener, client, hello, tls, outcome, reason, fault } = closed;
    this.#live.delete(connection);
    const total = this.#totals.get(listener) ?? { connections: 0, failed: 0 };
    total.connections += 1;
    if (fault !== undefined) total.failed += 1;
    this.#totals.set(listener, total);
    if (hello !== undefined) this.#hellos.count(helloKind(hello));
    if (tls !== undefined) this.#suppressed.delete(client.address);
    if (outcome === 'limit_exceeded' && reason !== undefined) {
      this.#exceeded.set(reason, (this.#exceeded.get(reason) ?? 0) + 1);
    }
    this.#senders.count(closed);
  }

  /** After a health check, or a connection. */
  #backendState({ backend: name, address, failure }: EventFields<'backend_health'>): Open<BackendStatus> {
    const nothing = { name, address, up: undefined, since: undefined, latency: undefined, lastFailure: '' };
    const backend = this.#backends.get(`${name} ${address}`) ?? { ...nothing, connections: 0, failures: 0 };
    this.#backends.set(`${name} ${address}`, backend);
    const up = failure === undefined;
    if (backend.up !== up) backend.since = this.#time();
    backend.up = up;
    if (!up) backend.lastFailure = failure;
    return backend;
  }

  #backendConnection(connection: EventFields<'backend_connection'>): void {
    const backend = this.#backendState(connection);
    if (connection.failure === undefined) {
      backend.connections += 1;
      backend.latency = connection.duration;
    } else backend.failures += 1;
  }

  #starttlsSuppressed({ address, failures, minutes }: EventFields<'starttls_suppressed'>): void {
    const until = new Date(this.#now() + minutes * 60_000).toISOString();
    this.#suppressed.set(address, { address, failures, since: this.#time(), until });
  }

  #listenerList(): ListenerStatus[] {
    const live = new Map<string, number>();
    for (const { listener } of this.#live.values()) live.set(listener, (live.get(listener) ?? 0) + 1);
    return [...this.#listeners.values()].map((listener) => ({
      ...listener,
      live: live.get(listener.name) ?? 0,
      ...(this.#totals.get(listener.name) ?? { connections: 0, failed: 0 }),
    }));
  }

  /** A limit that only [[policy]] entries set has no single value. */
  #limitList(): LimitStatus[] {
    const names = new Set([...Object.keys(this.#limits), ...this.#exceeded.keys()]);
    return [...names].map((name) => {
      const value = this.#limits[name];
      const shown = value === undefined ? '' : this.#limitText(name, value);
      return { name, value: shown, exceeded: this.#exceeded.get(name) ?? 0 };
    });
  }

  /** Drops rows that end without an event: those of silent processes, and expired suppressions. */
  #forget(): void {
    const now = this.#now();
    for (const [address, { until }] of this.#suppressed.entries()) {
      if (Date.parse(until) <= now) this.#suppressed.delete(address);
    }
    for (const [pid, { seen }] of this.#processes) {
      if (now - Date.parse(seen) >= SAMPLE_TIMEOUT_MS) this.#forgetProcess(pid);
    }
  }

  #forgetProcess(pid: number): void {
    this.#processes.delete(pid);
    for (const [connection, live] of this.#live) if (live.pid === pid) this.#live.delete(connection);
  }

  #time(): string {
    return new Date(this.#now()).toISOString();
  }
}

function withPort({ address, port }: EventFields<'listening_ended'>): string {
  return hostAndPort(address, port);
}

/** Rows; further live connections are only counted. */
const MAX_LIVE_SHOWN = 50;
/** About 200 bytes each. */
const MAX_SUPPRESSED = 500;
