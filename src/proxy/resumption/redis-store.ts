/**
 * Values by name in Redis or Valkey. It answers within a timeout or not at all. After a failure it is not used for a
 * while, so that no handshake waits for it.
 */
import { hostAndPort } from '../../net/endpoint.js';
import type { Log } from '../../observe/log.js';
import { sanitizePeerText } from '../../observe/sanitize.js';
import type { RedisClient, RedisSettings } from './redis-client.js';

export class RedisStore {
  readonly #settings: RedisSettings;
  readonly #log: Log;
  /** Connected or connecting; undefined during a pause after a failure. */
  #client: RedisClient | undefined;
  #ready = false;
  /** The state that was logged last. */
  #reported: 'up' | 'down' | undefined;
  #closed = false;
  #pending = 0;
  #readySince = 0;
  #delay = FIRST_DELAY_MS;
  #retry: NodeJS.Timeout | undefined;

  constructor(settings: RedisSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
    void this.#connect();
  }

  /** @returns what is stored, cut at MAX_VALUE_BYTES; undefined too if there is no answer in time */
  async get(name: string): Promise<Buffer | undefined> {
    const value: unknown = await this.#ask((client) => beginningOf(client, this.#key(name)));
    if (value === undefined) return undefined;
    if (Buffer.isBuffer(value)) return value.length === 0 ? undefined : value;
    this.#fail(this.#client, new Error('its answer is not a value'));
    return undefined;
  }

  /** @param lifetime milliseconds */
  set(name: string, value: Buffer, lifetime: number): void {
    const expiration = { type: 'PX', value: lifetime } as const;
    void this.#ask((client) => client.set(this.#key(name), value, { expiration }));
  }

  delete(name: string): void {
    void this.#ask((client) => client.del(this.#key(name)));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#drop();
  }

  #key(name: string): string {
    return this.#settings.keyPrefix + name;
  }

  async #ask<T>(command: (client: RedisClient) => Promise<T>): Promise<T | undefined> {
    const client = this.#client;
    if (client === undefined || !this.#ready || this.#pending >= MAX_PENDING) return undefined;
    this.#pending += 1;
    try {
      return await inTime(command(client), this.#settings.timeout);
    } catch (error) {
      this.#fail(client, error as Error);
      return undefined;
    } finally {
      this.#pending -= 1;
    }
  }

  async #connect(): Promise<void> {
    let client: RedisClient | undefined;
    try {
      client = await newClient(this.#settings);
      if (this.#closed) return;
      this.#client = client;
      client.on('error', (error: Error) => this.#fail(client, error));
      await inTime(client.connect(), CONNECT_TIMEOUT_MS);
      // A server with a password accepts connections without it.
      await inTime(client.ping(), CONNECT_TIMEOUT_MS);
      if (this.#client === client) this.#succeed();
    } catch (error) {
      this.#fail(client, error as Error);
    }
  }

  #succeed(): void {
    this.#ready = true;
    this.#readySince = performance.now();
    if (this.#reported === 'up') return;
    this.#reported = 'up';
    this.#log('session_store_up', { store: nameOf(this.#settings) });
  }

  /** Acts once for each connection, even with several errors. */
  #fail(client: RedisClient | undefined, error: Error): void {
    if (this.#closed || client !== this.#client) return;
    const stable = this.#ready && performance.now() - this.#readySince > STABLE_AFTER_MS;
    this.#delay = stable ? FIRST_DELAY_MS : Math.min(this.#delay * 2, MAX_DELAY_MS);
    this.#drop();
    this.#retry = setTimeout(() => void this.#connect(), this.#delay).unref();
    if (this.#reported === 'down') return;
    this.#reported = 'down';
    this.#log('session_store_down', { store: nameOf(this.#settings), problem: problemOf(error) });
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#ready = false;
    client?.destroy();
  }
}

/**
 * Stores a value for a moment and reads it again.
 * @param timeoutMs for each step
 * @returns the store's name; the problem, or the milliseconds of the answer
 */
export async function tryStore(
  settings: RedisSettings,
  timeoutMs: number,
): Promise<{ name: string; problem: string | undefined; answered: number }> {
  const name = nameOf(settings);
  const client = await newClient(settings);
  let answered = NaN;
  try {
    client.on('error', () => undefined);
    await inTime(client.connect(), timeoutMs);
    await inTime(client.ping(), timeoutMs);
    const [key, value] = [`${settings.keyPrefix}check`, 'oldhello check'];
    await inTime(client.set(key, value, { expiration: { type: 'PX', value: timeoutMs } }), timeoutMs);
    const asked = performance.now();
    const kept: unknown = await inTime(beginningOf(client, key), timeoutMs);
    answered = performance.now() - asked;
    await inTime(client.del(key), timeoutMs);
    return {
      name,
      answered,
      problem: String(kept) === value ? undefined : 'does not return what was stored',
    };
  } catch (error) {
    return { name, answered, problem: problemOf(error as Error) };
  } finally {
    client.destroy();
  }
}

/** Loaded where a store is configured only. */
async function newClient(settings: RedisSettings): Promise<RedisClient> {
  const { newRedisClient } = await import('./redis-client.js');
  return newRedisClient(settings, CONNECT_TIMEOUT_MS);
}

/** @returns nothing where there is no value */
function beginningOf(client: RedisClient, key: string): Promise<unknown> {
  return client.getRange(key, 0, MAX_VALUE_BYTES - 1);
}

/** Rejects after `bound` milliseconds, but accepts an answer that arrived while this process was busy. */
function inTime<T>(answer: Promise<T>, bound: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => setImmediate(() => reject(new Error(`no answer within ${bound} ms`))), bound);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

function nameOf({ place: { host, port } }: RedisSettings): string {
  return hostAndPort(host, port);
}

/** Some errors of Node have no message, but contain several other errors. */
function problemOf({ message, ...error }: Error & { readonly code?: string }): string {
  return sanitizePeerText(message === '' ? (error.code ?? 'it cannot be reached') : message);
}

const CONNECT_TIMEOUT_MS = 5_000;
/** A sealed session has at most 379, with a server name of 255. Whatever else is stored is not read. */
const MAX_VALUE_BYTES = 1_024;
/** Commands without an answer; about twice the default number of handshakes at the same time. */
const MAX_PENDING = 1_000;
/** After a connection of this length, the next failure counts as the first. */
const STABLE_AFTER_MS = 60_000;
/** Until a failed store is tried again: twice the first value, then doubled each time. */
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 60_000;
