/** Shape of /status.json, which the page and its script show. Plain data. */
import type { HelloCounts } from '../hello/hello-kind.js';

export interface Status {
  readonly version: string;
  readonly node: string;
  /** RFC 3339 in UTC, like all times here. */
  readonly now: string;
  readonly started: string;
  readonly listeners: readonly ListenerStatus[];
  readonly connections: LiveConnections;
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
  readonly mode: 'starttls' | 'implicit' | 'tcp';
  readonly backend: string;
  readonly live: number;
  /** Connections that have ended. */
  readonly connections: number;
  /** Of those, with a fault of the client, the backend or oldhello. */
  readonly failed: number;
}

export interface LiveConnections {
  readonly total: number;
  /** The newest. */
  readonly newest: readonly LiveConnection[];
}

export interface LiveConnection {
  readonly connection: string;
  readonly listener: string;
  readonly address: string;
  readonly since: string;
}

/** The last slot is the present hour or day, which is still being counted. */
export interface HelloHistory {
  readonly hours: readonly HelloSlot[];
  readonly days: readonly HelloSlot[];
}

export type HelloSlot = { readonly start: string } & Readonly<HelloCounts>;

export interface Senders {
  /** Most recently seen first. */
  readonly list: readonly SenderStatus[];
  /** Rows that were dropped because the table was full. */
  readonly forgotten: number;
}

/** A client with an old hello (hello-kind.ts), or whose handshakes fail. */
export interface SenderStatus {
  readonly address: string;
  readonly network: string;
  readonly helo: string;
  readonly format: 'sslv2' | 'record';
  /** The negotiated version; after a failed handshake, the highest offered one. */
  readonly version: string;
  readonly suite: string;
  readonly library: string;
  readonly first: string;
  readonly last: string;
  readonly count: number;
  readonly failed: number;
  /** Of the last connection. */
  readonly outcome: string;
  readonly ok: boolean;
}

/** Of one address. */
export interface BackendStatus {
  readonly name: string;
  /** As configured. */
  readonly address: string;
  /** Undefined before the first attempt. */
  readonly up: boolean | undefined;
  /** Of the present state. */
  readonly since: string | undefined;
  readonly connections: number;
  readonly failures: number;
  readonly lastFailure: string;
  /** Milliseconds that the last connection attempt took. */
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
  /** In the format of the configuration file; empty for a limit without a single value. */
  readonly value: string;
  /** Connections rejected because of it. */
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
