/**
 * Session tickets (RFC 5077): the session state, encrypted with AES-256-GCM. The key changes; older keys only decrypt.
 * Keys come from outside, so that several processes can share them.
 */
import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto';
import { CIPHER_SUITE_BY_ID } from '../cipher-suites.js';
import { ProtocolVersion } from '../code-points.js';
import { MASTER_SECRET_LENGTH, type Session } from './session.js';
import type { TicketProtector } from '../server-parameters.js';
import { Reader, Writer } from '../wire.js';
import { TlsError } from '../alert.js';

/** 48 bytes: key_name (16) and an AES-256 key (32), all random. */
export type TicketKey = Buffer;

export class TicketKeys implements TicketProtector {
  readonly lifetimeHint: number;
  readonly #now: () => number;
  readonly #random: (length: number) => Buffer;
  /** The first one encrypts, all decrypt. */
  #keys: readonly TicketKey[] = [];
  readonly #maxPerKey: number;
  /** Tickets made with the first key. */
  #made = 0;

  /**
   * @param lifetime seconds for which a ticket is valid
   * @param now seconds since the epoch, the same for all processes that share the keys
   * @param maxPerKey tickets that one key may make here
   */
  constructor(
    lifetime: number,
    now: () => number,
    random: (length: number) => Buffer,
    maxPerKey = MAX_TICKETS_PER_KEY,
  ) {
    this.#maxPerKey = maxPerKey;
    this.lifetimeHint = lifetime;
    this.#now = now;
    this.#random = random;
  }

  /**
   * @param keys the newest first; replaces all earlier ones
   * @throws RangeError without keys, or if a key does not have 48 bytes
   */
  setKeys(keys: readonly TicketKey[]): void {
    if (keys.length === 0 || keys.some((key) => key.length !== TICKET_KEY_LENGTH)) {
      throw new RangeError(`a ticket key has ${TICKET_KEY_LENGTH} bytes`);
    }
    const [current] = this.#keys;
    if (current === undefined || !timingSafeEqual(current, keys[0]!)) this.#made = 0;
    this.#keys = keys;
  }

  /**
   * @param boundTo must be the same in `unprotect`, such as the name under which it is stored
   * @returns undefined if the key has reached its limit
   */
  protect(session: Session, boundTo: Buffer = NOTHING): Buffer | undefined {
    const key = this.#keys[0];
    if (key === undefined) throw new Error('no ticket key');
    if (this.#made >= this.#maxPerKey) return undefined;
    this.#made += 1;
    const keyName = key.subarray(0, KEY_NAME_LENGTH);
    const nonce = this.#random(NONCE_LENGTH);
    const cipher = createCipheriv('aes-256-gcm', key.subarray(KEY_NAME_LENGTH), nonce).setAAD(
      Buffer.concat([keyName, boundTo]),
    );
    const state = encodeSession(session, this.#now());
    const encrypted = [cipher.update(state), cipher.final()];
    state.fill(0);
    return Buffer.concat([keyName, nonce, ...encrypted, cipher.getAuthTag()]);
  }

  unprotect(ticket: Buffer, boundTo: Buffer = NOTHING): Session | undefined {
    if (ticket.length < KEY_NAME_LENGTH + NONCE_LENGTH + TAG_LENGTH) return undefined;
    const keyName = ticket.subarray(0, KEY_NAME_LENGTH);
    const key = this.#keys.find((candidate) =>
      timingSafeEqual(candidate.subarray(0, KEY_NAME_LENGTH), keyName),
    );
    if (key === undefined) return undefined;
    const nonce = ticket.subarray(KEY_NAME_LENGTH, KEY_NAME_LENGTH + NONCE_LENGTH);
    const decipher = createDecipheriv('aes-256-gcm', key.subarray(KEY_NAME_LENGTH), nonce, {
      authTagLength: TAG_LENGTH,
    });
    decipher.setAAD(Buffer.concat([keyName, boundTo])).setAuthTag(ticket.subarray(-TAG_LENGTH));
    const encrypted = ticket.subarray(KEY_NAME_LENGTH + NONCE_LENGTH, -TAG_LENGTH);
    // All of it: GCM is a stream, and `final` only verifies the tag.
    const state = decipher.update(encrypted);
    try {
      decipher.final();
      return decodeSession(state, this.#now(), this.lifetimeHint);
    } catch {
      // RFC 5077, 3.4: a ticket that is damaged or not ours means a full handshake, never an alert.
      return undefined;
    } finally {
      state.fill(0);
    }
  }
}

function encodeSession(session: Session, now: number): Buffer {
  return new Writer()
    .u8(STATE_FORMAT)
    .u32(now)
    .u16(session.version)
    .u16(session.cipherSuite)
    .bytes(session.masterSecret)
    .u8((session.extendedMasterSecret ? 1 : 0) | (session.encryptThenMac ? 2 : 0))
    .u16(session.maxFragmentLength ?? 0)
    .vector16((w) => w.bytes(Buffer.from(session.serverName ?? '', 'latin1')))
    .vector16((w) => w.bytes(Buffer.from(session.context, 'latin1')))
    .done();
}

/**
 * @returns a session with a copy of the master secret; `state` is the caller's to wipe
 * @throws TlsError malformed_message for a state of another format
 */
function decodeSession(state: Buffer, now: number, lifetime: number): Session | undefined {
  const reader = new Reader(state);
  if (reader.u8() !== STATE_FORMAT) throw new TlsError('malformed_message');
  const issued = reader.u16() * 0x10000 + reader.u16();
  const versionNumber = reader.u16();
  const version = VERSIONS.find((known) => known === versionNumber);
  const cipherSuite = reader.u16();
  const masterSecret = reader.bytes(MASTER_SECRET_LENGTH);
  const flags = reader.u8();
  const fragmentLength = reader.u16();
  const serverName = reader.vector16().rest().toString('latin1');
  const context = reader.vector16().rest().toString('latin1');
  reader.end();
  if (issued < now - lifetime || issued > now + MAX_CLOCK_SKEW_SECONDS) return undefined;
  if (version === undefined || !CIPHER_SUITE_BY_ID.has(cipherSuite)) return undefined;
  return {
    version,
    cipherSuite,
    masterSecret: Buffer.from(masterSecret),
    extendedMasterSecret: (flags & 1) !== 0,
    encryptThenMac: (flags & 2) !== 0,
    maxFragmentLength: FRAGMENT_LENGTHS.find((length) => length === fragmentLength),
    serverName: serverName === '' ? undefined : serverName,
    context,
  };
}

/** Changes with the layout, so that a ticket of an older version is not parsed wrongly. */
const STATE_FORMAT = 1;
const VERSIONS = Object.values(ProtocolVersion);
const FRAGMENT_LENGTHS = [512, 1024, 2048, 4096] as const;

const NOTHING = Buffer.alloc(0);
/** Bytes. */
export const TICKET_KEY_LENGTH = 48;
/**
 * NIST SP 800-38D, 8.3 allows 2^32 random nonces with one key. A process uses at most 1/64 of this, so that up to 64
 * processes can share the key. At 1,000 sessions a second, this is enough for 18 hours.
 */
export const MAX_TICKETS_PER_KEY = 2 ** 32 / 64;
const KEY_NAME_LENGTH = 16;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
/** Between machines that share keys. */
const MAX_CLOCK_SKEW_SECONDS = 300;
