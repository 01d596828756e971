/** What a fault is, and what it works with. */
import type { Program } from '../support/program.js';
import type { SmtpClient } from '../support/smtp-client.js';
import type { Books } from './books.js';
import type { FlakyBackend } from './flaky-backend.js';

export interface Fault {
  readonly name: string;
  readonly does: string;
  /** What must hold; `run` throws where it does not. That mail flows again afterwards is asked of each. */
  readonly holds: string;
  /** @returns figures, in a few words */
  run(soak: Soak): Promise<string>;
}

export interface Soak {
  readonly program: Program;
  readonly backend: FlakyBackend;
  readonly books: Books;
  /** A folder with little room, where the log is; undefined where no such thing can be made. */
  readonly disk: string | undefined;
  readonly connect: (mode?: 'starttls' | 'implicit') => Promise<SmtpClient>;
  /** Puts the clock of oldhello so many milliseconds ahead of the right time; back, where negative. */
  readonly setClock: (ahead: number) => Promise<void>;
  /** Descriptors that oldhello has open. */
  readonly descriptors: () => number;
  /** Resolves when some more messages of the load were acknowledged, and throws if they are not. */
  readonly mailFlows: () => Promise<void>;
}

/** Open files that oldhello may have. */
export const OPEN_FILES = 512;

/** Seconds that oldhello waits, in its configuration. */
export const TIMEOUTS = { handshake: 5, command: 8, idle: 15 } as const;
/** Seconds, above all of these and what it waits for a peer to close, that nobody may stay who does nothing. */
export const TIMEOUT_SECONDS = 60;
