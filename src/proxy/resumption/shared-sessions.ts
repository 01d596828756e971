/**
 * Sessions by id that several machines share: first those of this machine, then those of the others in a store. Stored
 * sessions are encrypted with keys derived from the ticket keys, and bound to their id, so that the store can neither
 * read a session nor return another one.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import { UnusableValueError } from '../../config/config-error.js';
import type { Config } from '../../config/schema.js';
import type { Log } from '../../observe/log.js';
import { CredentialError } from '../../credentials/credential-error.js';
import { exposedOf } from '../../credentials/exposed-files.js';
import { readPassphrase } from '../../credentials/passphrase.js';
import { TICKET_KEY_LENGTH, TicketKeys, type Session, type TicketKey } from '../../tls/index.js';
import type { RedisSettings } from './redis-client.js';
import { RedisStore } from './redis-store.js';
import type { SessionStore } from './session-store.js';

export interface StoreSettings extends RedisSettings {
  readonly passwordFile: string | undefined;
}

/** @returns undefined if no store is configured @throws UnusableValueError */
export function storeSettings({ sessionStore }: Config): StoreSettings | undefined {
  const { url, passwordFile, keyPrefix, timeout } = sessionStore;
  if (url === undefined) return undefined;
  try {
    const password =
      passwordFile === undefined ? undefined : readPassphrase(passwordFile, 'password-file').text;
    return { place: url, password, passwordFile, keyPrefix, timeout };
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    throw new UnusableValueError('session-store', undefined, 'password-file', error);
  }
}

export class SharedSessions implements SessionStore {
  readonly #log: Log;
  readonly #local: SessionStore;
  readonly #lifetime: number;
  readonly #seal: TicketKeys;
  #settings: StoreSettings | undefined;
  #store: RedisStore | undefined;
  #warnedAt = -Infinity;

  /** @param lifetime milliseconds that a session is valid */
  constructor(log: Log, local: SessionStore, lifetime: number) {
    this.#log = log;
    this.#local = local;
    this.#lifetime = lifetime;
    this.#seal = new TicketKeys(lifetime / 1000, () => Math.floor(Date.now() / 1000), randomBytes);
  }

  /** Call it before a store is configured. */
  useTicketKeys(keys: readonly TicketKey[]): void {
    this.#seal.setKeys(keys.map(sealKey));
  }

  configure(settings: StoreSettings | undefined): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#store?.close();
    this.#settings = settings;
    this.#store = settings && new RedisStore(settings, this.#log);
    if (settings?.passwordFile === undefined) return;
    for (const exposed of exposedOf([settings.passwordFile])) this.#log('secret_exposed', { ...exposed });
  }

  close(): void {
    this.#store?.close();
  }

  find(id: Buffer, done: (session: Session | undefined) => void): void {
    this.#local.find(id, (session) => {
      if (session !== undefined || this.#store === undefined) done(session);
      else void this.#findStored(this.#store, id, done);
    });
  }

  async #findStored(
    store: RedisStore,
    id: Buffer,
    done: (session: Session | undefined) => void,
  ): Promise<void> {
    const sealed = await store.get(id.toString('hex'));
    const session = sealed && this.#open(id, sealed);
    done(session);
    // The caller has its own copy.
    session?.masterSecret.fill(0);
  }

  save(id: Buffer, session: Session): void {
    const sealed = this.#store && this.#seal.protect(session, id);
    if (sealed !== undefined) this.#store?.set(id.toString('hex'), sealed, this.#lifetime);
    this.#local.save(id, session);
  }

  forget(id: Buffer): void {
    this.#local.forget(id);
    this.#store?.delete(id.toString('hex'));
  }

  /** Not added to the local sessions, so that it ends when it ends on the machine where it began. */
  #open(id: Buffer, sealed: Buffer): Session | undefined {
    const session = this.#seal.unprotect(sealed, id);
    if (session === undefined && performance.now() - this.#warnedAt > WARNING_INTERVAL_MS) {
      this.#warnedAt = performance.now();
      this.#log('session_store_unreadable');
    }
    return session;
  }
}

/** Stored sessions and tickets have different keys, so that neither can be used as the other (RFC 5869). */
function sealKey(key: TicketKey): TicketKey {
  return Buffer.from(hkdfSync('sha256', key, '', 'oldhello session store', TICKET_KEY_LENGTH));
}

/** So that someone who changes stored sessions cannot fill the log. */
const WARNING_INTERVAL_MS = 10 * 60 * 1000;
