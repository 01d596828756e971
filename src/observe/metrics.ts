/** How every metric is counted from events. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { CIPHER_SUITES, REFUSALS } from '../tls/index.js';
import { TLS_1_3_SUITES } from '../tls/wire-format.js';
import type { EventFields, LogEntry } from './events.js';
import { METRICS, type Labels, type MetricOfType, type MetricRow } from './metric-table.js';
import { SAMPLE_TIMEOUT_MS } from './process-sample.js';

export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();
  /** Listener and process of each live connection, by its id. */
  readonly #live = new Map<string, { readonly listener: string; readonly pid: number }>();
  readonly #processes = new Map<number, { cpu: number; seen: number }>();

  constructor() {
    for (const [name, { type, labels, help, ...row }] of Object.entries<MetricRow>(METRICS)) {
      const common = { name, help, labelNames: [...labels], registers: [this.#registry] };
      if (type === 'counter') this.#counters.set(name, new Counter(common));
      else if (type === 'gauge') this.#gauges.set(name, new Gauge(common));
      else this.#histograms.set(name, new Histogram({ ...common, buckets: [...(row.buckets ?? [])] }));
    }
    collectDefaultMetrics({ register: this.#registry });
  }

  /** In Prometheus's text format. */
  async text(): Promise<{ readonly type: string; readonly body: string }> {
    this.#forgetSilentProcesses();
    this.#countLive();
    return { type: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  /** A subscriber of the log's channel. */
  readonly receive = (entry: LogEntry): void => {
    switch (entry.event) {
      case 'started':
        this.#set('oldhello_build_info', { version: entry.fields.version, node: entry.fields.node }, 1);
        break;
      case 'configuration':
        this.#configured(entry.fields);
        break;
      case 'reload_failed':
        this.#add('oldhello_configuration_loads_total', { result: 'failed' });
        break;
      case 'certificate': {
        const { source, use, notAfter } = entry.fields;
        const seconds = Date.parse(notAfter) / 1000;
        this.#set('oldhello_certificate_not_after_timestamp_seconds', { source, use }, seconds);
        break;
      }
      case 'connection_opened': {
        const { connection, listener, pid } = entry.fields;
        this.#live.set(connection, { listener, pid });
        break;
      }
      case 'connection_closed':
        this.#ended(entry.fields);
        break;
      case 'worker_lost':
        this.#forgetProcess(entry.fields.pid);
        break;
      case 'backend_health':
        this.#backendUp(entry.fields);
        break;
      case 'backend_connection':
        this.#backendUp(entry.fields);
        this.#backendConnection(entry.fields);
        break;
      case 'starttls_suppressed':
        this.#add('oldhello_starttls_suppressed_total', {});
        break;
      case 'process_sample':
        this.#sampled(entry.fields);
        break;
      case 'descriptors_exhausted':
        this.#add('oldhello_descriptors_exhausted_total', {});
        break;
      case 'log_dropped':
        this.#add('oldhello_log_lines_dropped_total', {}, entry.fields.lines);
        break;
      default:
    }
  };

  /** Series of the previous configuration are removed first. */
  #configured({ limits }: EventFields<'configuration'>): void {
    for (const gauge of OF_CONFIGURATION) this.#gauges.get(gauge)!.reset();
    this.#set('oldhello_connections_max', {}, limits['max-connections'] ?? 0);
    this.#set('oldhello_configuration_timestamp_seconds', {}, Math.floor(Date.now() / 1000));
    this.#add('oldhello_configuration_loads_total', { result: 'done' });
  }

  #ended(session: EventFields<'connection_closed'>): void {
    const { connection, listener, outcome, bytes, durations, hello, tls, reason } = session;
    this.#live.delete(connection);
    this.#add('oldhello_connections_total', { listener, outcome });
    this.#add('oldhello_smtp_bytes_total', { listener, direction: 'from_client' }, bytes.fromClient);
    this.#add('oldhello_smtp_bytes_total', { listener, direction: 'to_client' }, bytes.toClient);
    this.#observe('oldhello_connection_duration_seconds', { listener }, durations.total);
    if (hello !== undefined) {
      const version = known(VERSIONS, hello.version);
      this.#add('oldhello_hellos_total', { format: hello.format, version, outcome });
      for (const need of hello.needs) this.#add('oldhello_hello_needs_total', { need });
    }
    if (tls !== undefined) this.#established(tls, hello?.format ?? 'record', durations.handshake);
    if (outcome === 'handshake_refused') {
      this.#add('oldhello_handshake_refusals_total', { reason: known(REASONS, reason) });
    }
    if (outcome === 'limit_exceeded') {
      this.#add('oldhello_limit_exceeded_total', { limit: reason ?? OTHER });
    }
  }

  #established(
    { path, version, suite, resumed }: NonNullable<EventFields<'connection_closed'>['tls']>,
    format: string,
    duration: number | undefined,
  ): void {
    this.#add('oldhello_handshakes_total', {
      path,
      version: known(VERSIONS, version),
      suite: known(SUITES, suite),
    });
    if (resumed === true) this.#add('oldhello_handshakes_resumed_total', { path });
    if (duration !== undefined)
      this.#observe('oldhello_handshake_duration_seconds', { path, format }, duration);
  }

  #backendUp({ backend, address, failure }: EventFields<'backend_health'>): void {
    this.#set('oldhello_backend_up', { backend, address }, failure === undefined ? 1 : 0);
  }

  #backendConnection({ backend, address, duration, failure }: EventFields<'backend_connection'>): void {
    if (failure === undefined)
      this.#observe('oldhello_backend_connect_duration_seconds', { backend, address }, duration);
    else this.#add('oldhello_backend_connect_failures_total', { backend, address, reason: failure });
  }

  #sampled({ pid, delayMedian, delay99, delayMax, memory, cpu }: EventFields<'process_sample'>): void {
    const process = String(pid);
    const delays = { median: delayMedian, p99: delay99, max: delayMax };
    for (const statistic of STATISTICS) {
      const labels = { pid: process, statistic };
      this.#set('oldhello_event_loop_delay_seconds', labels, delays[statistic] / 1000);
    }
    this.#set('oldhello_memory_bytes', { pid: process }, memory);
    this.#add('oldhello_cpu_seconds_total', {}, Math.max(0, cpu - (this.#processes.get(pid)?.cpu ?? 0)));
    this.#processes.set(pid, { cpu, seen: performance.now() });
  }

  #forgetSilentProcesses(): void {
    const now = performance.now();
    for (const [pid, { seen }] of this.#processes) {
      if (now - seen >= SAMPLE_TIMEOUT_MS) this.#forgetProcess(pid);
    }
    this.#set('oldhello_processes', {}, this.#processes.size);
  }

  /** Removes the gauges and connections of a process that has ended. */
  #forgetProcess(pid: number): void {
    this.#processes.delete(pid);
    this.#gauges.get('oldhello_memory_bytes')!.remove(String(pid));
    for (const statistic of STATISTICS) {
      this.#gauges.get('oldhello_event_loop_delay_seconds')!.remove(String(pid), statistic);
    }
    for (const [connection, live] of this.#live) if (live.pid === pid) this.#live.delete(connection);
  }

  #countLive(): void {
    this.#gauges.get('oldhello_connections_active')!.reset();
    const counts = new Map<string, number>();
    for (const { listener } of this.#live.values()) counts.set(listener, (counts.get(listener) ?? 0) + 1);
    for (const [listener, count] of counts) this.#set('oldhello_connections_active', { listener }, count);
  }

  #add<M extends MetricOfType<'counter'>>(name: M, labels: Labels<M>, amount = 1): void {
    this.#counters.get(name)!.inc(labels, amount);
  }

  #set<M extends MetricOfType<'gauge'>>(name: M, labels: Labels<M>, value: number): void {
    this.#gauges.get(name)!.set(labels, value);
  }

  #observe<M extends MetricOfType<'histogram'>>(name: M, labels: Labels<M>, milliseconds: number): void {
    this.#histograms.get(name)!.observe(labels, milliseconds / 1000);
  }
}

/** Bounds the values of a label, whatever peers send. */
function known(values: ReadonlySet<string>, value: string | undefined): string {
  return value !== undefined && values.has(value) ? value : OTHER;
}

const OTHER = 'other';
/** What they are about can be gone with the next configuration. */
const OF_CONFIGURATION = ['oldhello_certificate_not_after_timestamp_seconds', 'oldhello_backend_up'] as const;
const STATISTICS = ['median', 'p99', 'max'] as const;
const VERSIONS = new Set(['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']);
const REASONS = new Set(Object.keys(REFUSALS));
const SUITES = new Set([
  ...CIPHER_SUITES.map(({ opensslName }) => opensslName),
  ...Object.keys(TLS_1_3_SUITES),
]);
