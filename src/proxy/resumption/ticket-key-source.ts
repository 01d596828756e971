/** The source of the keys for session tickets: random keys that are rotated, or a file that several machines share. */
import { randomBytes } from 'node:crypto';
import { UnusableValueError } from '../../config/config-error.js';
import type { Config } from '../../config/schema.js';
import type { Log } from '../../observe/log.js';
import { readTicketKeyFile, type TicketKeyFile } from '../../credentials/ticket-key-file.js';
import { TICKET_KEY_LENGTH, type TicketKey } from '../../tls/index.js';

/** @returns undefined if no file is configured @throws UnusableValueError */
export async function readTicketKeys({ tls }: Config): Promise<TicketKeyFile | undefined> {
  if (tls.ticketKeyFile === undefined) return undefined;
  try {
    return await readTicketKeyFile(tls.ticketKeyFile);
  } catch (error) {
    throw new UnusableValueError('tls', undefined, 'ticket-key-file', error as Error);
  }
}

export class TicketKeySource {
  readonly #log: Log;
  readonly #changed: (keys: readonly TicketKey[]) => void;
  #keys: readonly TicketKey[] = [];
  #file: TicketKeyFile | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading = false;
  /** The problem that was logged, so that it is logged only once. */
  #problem: string | undefined;

  /** @param changed called with the keys from now on, the newest first */
  constructor(log: Log, changed: (keys: readonly TicketKey[]) => void) {
    this.#log = log;
    this.#changed = changed;
  }

  /** @param file undefined for random keys of this process; existing ones stay */
  configure(file: TicketKeyFile | undefined): void {
    const chosenHere = this.#file === undefined && this.#keys.length > 0;
    if (file === undefined && chosenHere) return;
    this.close();
    if (file === undefined) {
      this.#file = undefined;
      this.#keys = [];
      this.#rotate();
      this.#timer = setInterval(() => this.#rotate(), ROTATION_INTERVAL_MS).unref();
    } else {
      this.#take(file);
      this.#timer = setInterval(() => void this.#poll(file.path), POLL_INTERVAL_MS).unref();
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The newest key encrypts; the two before it still decrypt (RFC 5077, 5.5). */
  #rotate(): void {
    this.#keys = [randomBytes(TICKET_KEY_LENGTH), ...this.#keys].slice(0, KEYS);
    this.#changed(this.#keys);
  }

  #take(file: TicketKeyFile): void {
    this.#file = file;
    this.#keys = file.keys;
    this.#problem = undefined;
    this.#changed(file.keys);
    this.#log('ticket_keys', { file: file.path, keys: file.keys.length });
    for (const exposed of file.exposed) this.#log('secret_exposed', { ...exposed });
  }

  /** Compares the content, because the modification time is coarse, and copying tools set it back. */
  async #poll(path: string): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    const before = this.#file;
    try {
      const file = await readTicketKeyFile(path);
      if (this.#file === before && !sameKeys(file.keys, this.#keys)) this.#take(file);
      this.#problem = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (this.#file === before && message !== this.#problem) {
        this.#problem = message;
        this.#log('ticket_keys_failed', { file: path, problem: message });
      }
    }
    this.#reading = false;
  }
}

function sameKeys(some: readonly TicketKey[], others: readonly TicketKey[]): boolean {
  return some.length === others.length && some.every((key, index) => key.equals(others[index]!));
}

/** How long a key encrypts new tickets. With KEYS of them, it exists until its tickets expire. */
const ROTATION_INTERVAL_MS = 12 * 60 * 60 * 1000;
const KEYS = 3;
/** Until a changed file is used at the latest. The file is short, so reading it costs nothing. */
const POLL_INTERVAL_MS = 5_000;
