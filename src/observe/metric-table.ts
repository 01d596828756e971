/**
 * Every metric, declared once. docs/metrics.md comes from this table; the dashboard and the alert rules in conf/ are tested
 * against it.
 */

export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

const counter = <const L extends readonly string[]>(labels: L, help: string) =>
  ({ type: 'counter', labels, help }) as const;
const gauge = <const L extends readonly string[]>(labels: L, help: string) =>
  ({ type: 'gauge', labels, help }) as const;
const histogram = <const L extends readonly string[]>(labels: L, buckets: readonly number[], help: string) =>
  ({ type: 'histogram', labels, buckets, help }) as const;

/** Milliseconds of our own time, plus round trips of the client. */
const HANDSHAKE_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const CONNECT_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From a refused client to a slow sender of large mail. */
const CONNECTION_BUCKETS_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600, 1800];

export const METRICS = {
  oldhello_build_info: gauge(['version', 'node'], 'Always 1; the labels have the versions.'),
  oldhello_connections_total: counter(['listener', 'outcome'], 'Closed client connections, by outcome.'),
  oldhello_connections_active: gauge(['listener'], 'Open client connections.'),
  oldhello_connections_max: gauge([], 'The limit max-connections.'),
  oldhello_connection_duration_seconds: histogram(
    ['listener'],
    CONNECTION_BUCKETS_SECONDS,
    'Duration of client connections.',
  ),
  oldhello_hellos_total: counter(
    ['format', 'version', 'outcome'],
    'ClientHellos, by their format, the newest version they offer, and how the connection ended.',
  ),
  oldhello_hello_needs_total: counter(
    ['need'],
    'ClientHellos by what the client needs and current TLS libraries lack; one hello may count several times.',
  ),
  oldhello_handshakes_total: counter(
    ['path', 'version', 'suite'],
    'Successful handshakes, by path (engine, native or passthrough), version and cipher suite.',
  ),
  oldhello_handshakes_resumed_total: counter(['path'], 'Successful handshakes that resumed a session.'),
  oldhello_handshake_refusals_total: counter(
    ['reason'],
    'Handshakes that our engine refused, by reason; see docs/troubleshooting.md.',
  ),
  oldhello_handshake_duration_seconds: histogram(
    ['path', 'format'],
    HANDSHAKE_BUCKETS_SECONDS,
    'Duration of successful handshakes, including the round trips of the network.',
  ),
  oldhello_smtp_bytes_total: counter(
    ['listener', 'direction'],
    'Bytes of SMTP, without TLS around it, of connections that ended; direction is from_client or to_client.',
  ),
  oldhello_backend_up: gauge(
    ['backend', 'address'],
    '1 if the last connection to this address of the backend, or its last health check, succeeded; 0 if it failed.',
  ),
  oldhello_backend_connect_duration_seconds: histogram(
    ['backend', 'address'],
    CONNECT_BUCKETS_SECONDS,
    'Time to connect to this address of the backend.',
  ),
  oldhello_backend_connect_failures_total: counter(
    ['backend', 'address', 'reason'],
    'Failed connections to this address of the backend.',
  ),
  oldhello_limit_exceeded_total: counter(
    ['limit'],
    'Connections refused because of a limit, by the key of the limit.',
  ),
  oldhello_starttls_suppressed_total: counter(
    [],
    'How often an address lost STARTTLS for a while because it repeated a handshake that cannot succeed.',
  ),
  oldhello_certificate_not_after_timestamp_seconds: gauge(
    ['source', 'use'],
    'End of the validity of a certificate, in Unix time.',
  ),
  oldhello_configuration_loads_total: counter(
    ['result'],
    'Loads of the configuration that succeeded (done) and that failed (failed).',
  ),
  oldhello_configuration_timestamp_seconds: gauge(
    [],
    'Time of the last successful load of the configuration, in Unix time.',
  ),
  oldhello_event_loop_delay_seconds: gauge(
    ['pid', 'statistic'],
    'Delay of timers in the last ten seconds; statistic is median, p99 or max.',
  ),
  oldhello_memory_bytes: gauge(['pid'], 'Resident memory of each process.'),
  oldhello_cpu_seconds_total: counter([], 'Processor time of all processes together.'),
  oldhello_processes: gauge(
    [],
    'Processes that reported in the last half minute: one, or the primary and its workers.',
  ),
  oldhello_descriptors_exhausted_total: counter(
    [],
    'Minutes in which a process had no free file descriptor and closed new connections without an answer.',
  ),
  oldhello_log_lines_dropped_total: counter(
    [],
    'Log lines that were dropped because they could not be written in time.',
  ),
} as const satisfies Record<`oldhello_${string}`, MetricRow>;

type Metric = keyof typeof METRICS;
export type Labels<M extends Metric> = Readonly<Record<(typeof METRICS)[M]['labels'][number], string>>;
export type MetricOfType<T extends MetricRow['type']> = {
  [M in Metric]: (typeof METRICS)[M]['type'] extends T ? M : never;
}[Metric];
