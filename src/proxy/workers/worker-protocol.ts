/**
 * The messages between the primary process and its workers, over the channel of node:child_process: the primary one
 * message at a time, the workers several. As JSON, bytes in base64: Node's other serialization costs each side a quarter
 * more for a connection that is passed on.
 */
import type { Config } from '../../config/schema.js';
import type { LogEntry } from '../../observe/events.js';
import type { ConnectionEvent, ConnectionFacts } from '../../observe/connection-record.js';
import {
  portableCredential,
  restoreCredential,
  type PortableCredential,
} from '../../credentials/credentials.js';
import { NetworkSet } from '../../policy/networks.js';
import type { HealthReplies } from '../../smtp/learnt-replies.js';
import { DhGroup, type Session } from '../../tls/index.js';
import type { AcceptedClient, SnapshotInputs } from '../config-snapshot.js';
import type { AddressState } from '../backend/address-book.js';
import type { TrustedCas } from '../backend/trusted-cas.js';

/** A SnapshotInputs in what can be sent. */
export interface PortableSnapshotInputs {
  readonly config: Config;
  readonly credentials: readonly PortableCredential[];
  readonly trustedCas: TrustedCas;
  readonly networkFiles: Readonly<Record<string, string>>;
  /** The prime. */
  readonly smallDhGroup: string | undefined;
  /** How many workers share the limits that each counts for itself. */
  readonly workers: number;
}

export interface PortableSession extends Omit<Session, 'masterSecret'> {
  readonly masterSecret: string;
}

export type ToWorker =
  /** Answered with `configured` of the same number. */
  | { readonly kind: 'configure'; readonly number: number; readonly inputs: PortableSnapshotInputs }
  | { readonly kind: 'ticket_keys'; readonly keys: readonly string[] }
  /** @see ConnectionRunner.learn */
  | { readonly kind: 'learn'; readonly backend: string; readonly replies: HealthReplies | undefined }
  /** What a health check has found. */
  | { readonly kind: 'address_state'; readonly state: AddressState }
  /** The socket comes with it; answered with `ended`. */
  | { readonly kind: 'serve'; readonly id: number; readonly first: string; readonly accepted: AcceptedClient }
  | { readonly kind: 'session'; readonly lookup: number; readonly session: PortableSession | undefined }
  /** No further connection comes; the worker ends with its last one. @see ConnectionRunner.close */
  | { readonly kind: 'close'; readonly timeoutMs: number }
  /** Answered with `alive`. `sent` is how many `serve` came before it. */
  | { readonly kind: 'ping'; readonly sent: number };

export type ToPrimary =
  | { readonly kind: 'configured'; readonly number: number }
  | { readonly kind: 'ended'; readonly id: number; readonly event: ConnectionEvent }
  /** So far, of a connection that may last. */
  | { readonly kind: 'facts'; readonly id: number; readonly facts: ConnectionFacts }
  /** `serve` messages that did not arrive: Node drops one whose socket the system had no descriptor for. */
  | { readonly kind: 'missed'; readonly ids: readonly number[] }
  | { readonly kind: 'event'; readonly entry: LogEntry }
  | { readonly kind: 'find_session'; readonly lookup: number; readonly sessionId: string }
  | { readonly kind: 'save_session'; readonly sessionId: string; readonly session: PortableSession }
  | { readonly kind: 'forget_session'; readonly sessionId: string }
  | { readonly kind: 'alive' };

export function portableBytes(bytes: Buffer): string {
  return bytes.toString('base64');
}

export function restoreBytes(portable: string): Buffer {
  return Buffer.from(portable, 'base64');
}

export function portableSession(session: Session): PortableSession {
  return { ...session, masterSecret: portableBytes(session.masterSecret) };
}

export function restoreSession(portable: PortableSession): Session {
  // What is missing in JSON is a key here, as it is in every other session.
  const { maxFragmentLength, serverName } = portable;
  return { ...portable, maxFragmentLength, serverName, masterSecret: restoreBytes(portable.masterSecret) };
}

export function portableInputs(inputs: SnapshotInputs, workers: number): PortableSnapshotInputs {
  const { config, credentials, trustedCas, networkFiles, smallDhGroup } = inputs;
  return {
    config,
    credentials: credentials.map(portableCredential),
    trustedCas,
    networkFiles: mapValues(networkFiles, ({ bytes }) => portableBytes(bytes)),
    smallDhGroup: smallDhGroup && portableBytes(smallDhGroup.prime),
    workers,
  };
}

export function restoreInputs(portable: PortableSnapshotInputs): SnapshotInputs {
  const { config, credentials, trustedCas, networkFiles, smallDhGroup } = portable;
  return {
    config,
    credentials: credentials.map(restoreCredential),
    trustedCas,
    networkFiles: mapValues(networkFiles, (bytes) => NetworkSet.restore(restoreBytes(bytes))),
    smallDhGroup: smallDhGroup === undefined ? undefined : new DhGroup(restoreBytes(smallDhGroup)),
  };
}

function mapValues<A, B>(values: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}
