/**
 * What the primary process and its workers say to each other, over the channel of node:child_process: the primary one
 * message at a time, the workers several.
 */
import type { Config } from '../config/schema.js';
import type { LogEntry } from '../observe/events.js';
import type { SessionEvent } from '../observe/session-record.js';
import type { PortableCredential } from '../system/credentials.js';
import type { Session } from '../tls/index.js';
import type { Arrival } from './runtime.js';

/** A Blueprint in what can be sent. */
export interface PortableBlueprint {
  readonly config: Config;
  readonly credentials: readonly PortableCredential[];
  /** The prime. */
  readonly smallDhGroup: Buffer | undefined;
  /** How many workers there are, to have the limits together that each counts for itself. */
  readonly workers: number;
}

export type ToWorker =
  /** Answered with `using` of the same number. */
  | { readonly kind: 'use'; readonly number: number; readonly blueprint: PortableBlueprint }
  | { readonly kind: 'ticket_keys'; readonly keys: readonly Buffer[] }
  /** The socket comes with it; answered with `ended`. */
  | { readonly kind: 'serve'; readonly id: number; readonly first: Buffer; readonly arrival: Arrival }
  | { readonly kind: 'session'; readonly lookup: number; readonly session: Session | undefined }
  /** Nobody else comes; the worker ends when the last one has gone. @see ConnectionHost.close */
  | { readonly kind: 'close'; readonly patience: number }
  /** Answered with `alive`. */
  | { readonly kind: 'ping' };

export type ToPrimary =
  | { readonly kind: 'using'; readonly number: number }
  | { readonly kind: 'ended'; readonly id: number; readonly event: SessionEvent }
  | { readonly kind: 'event'; readonly entry: LogEntry }
  | { readonly kind: 'find_session'; readonly lookup: number; readonly sessionId: Buffer }
  | { readonly kind: 'save_session'; readonly sessionId: Buffer; readonly session: Session }
  | { readonly kind: 'forget_session'; readonly sessionId: Buffer }
  | { readonly kind: 'alive' };
