/** What the status page shows: /status.json, and the data behind the page. Plain data, which the page's script shares. */

export interface Status {
  readonly version: string;
  readonly node: string;
  /** RFC 3339 in UTC, like all times here. */
  readonly now: string;
  readonly started: string;
  readonly listeners: readonly ListenerStatus[];
  readonly sessions: LiveSessions;
  readonly hellos: HelloHistory;
  readonly senders: Senders;
  readonly backends: readonly BackendStatus[];
  readonly certificates: readonly CertificateStatus[];
  readonly limits: readonly LimitStatus[];
  readonly suppressed: readonly SuppressedStatus[];
  readonly processes: readonly ProcessStatus[];
}

export interface ListenerStatus {
  readonly name: string;
  /** With the port. */
  readonly address: string;
  readonly mode: 'starttls' | 'implicit';
  readonly backend: string;
  readonly live: number;
  readonly sessions: number;
  /** Sessions with somebody at fault. */
  readonly failed: number;
}

export interface LiveSessions {
  readonly total: number;
  /** The newest. */
  readonly newest: readonly LiveSession[];
}

export interface LiveSession {
  readonly connection: string;
  readonly listener: string;
  readonly address: string;
  readonly since: string;
}

/**
 * What a hello is at most good for: `sslv2` by its format; SSLv3; TLS 1.0 or 1.1; or `modern`, TLS 1.2 or newer.
 */
export type HelloKind = 'sslv2' | 'ssl3' | 'tls10' | 'modern';

/** Counts a slot of time; the newest slot is still being filled. */
export interface HelloHistory {
  readonly hours: readonly HelloSlot[];
  readonly days: readonly HelloSlot[];
}

export type HelloSlot = { readonly start: string } & Readonly<Record<HelloKind, number>>;

export interface Senders {
  /** The last seen first. */
  readonly list: readonly Sender[];
  /** How many were forgotten because there are more than can be remembered. */
  readonly forgotten: number;
}

/** A client with a hello older than TLS 1.2, or whose handshakes fail. */
export interface Sender {
  readonly address: string;
  readonly network: string;
  readonly helo: string;
  readonly format: 'sslv2' | 'record';
  /** What was agreed, or, where nothing was, what it offers at most. */
  readonly version: string;
  readonly suite: string;
  readonly library: string;
  readonly first: string;
  readonly last: string;
  readonly count: number;
  readonly failed: number;
  /** Of the last session. */
  readonly outcome: string;
  readonly ok: boolean;
}

export interface BackendStatus {
  readonly name: string;
  /** Undefined before anybody tried. */
  readonly up: boolean | undefined;
  /** Of the present state. */
  readonly since: string | undefined;
  readonly connections: number;
  readonly failures: number;
  readonly lastFailure: string;
  /** Milliseconds that the last connection took to be made. */
  readonly latency: number | undefined;
}

export interface CertificateStatus {
  readonly source: string;
  readonly subject: string;
  readonly issuer: string;
  readonly key: string;
  readonly use: string;
  readonly notAfter: string;
}

export interface LimitStatus {
  readonly name: string;
  /** Durations in words. */
  readonly value: string;
  /** Connections it turned away. */
  readonly exceeded: number;
}

export interface SuppressedStatus {
  readonly address: string;
  readonly failures: number;
  readonly since: string;
  readonly until: string;
}

export interface ProcessStatus {
  readonly pid: number;
  /** Milliseconds, 99th percentile. */
  readonly delay: number;
  /** Bytes. */
  readonly memory: number;
  readonly seen: string;
}
