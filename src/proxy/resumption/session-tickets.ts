/** Session tickets of both TLS stacks, with keys derived from the same ones. */
import { hkdfSync, randomBytes } from 'node:crypto';
import { TICKET_KEY_LENGTH, TicketKeys, type TicketKey, type TicketProtector } from '../../tls/index.js';

/** What connections need for tickets. */
export interface TicketSource {
  readonly engine: TicketProtector;
  /** `ticketKeys` for Node's TLS, the newest first; empty before the first keys are set. */
  readonly native: readonly Buffer[];
}

export class SessionTickets implements TicketSource {
  readonly engine = new TicketKeys(TICKET_LIFETIME_SECONDS, () => Math.floor(Date.now() / 1000), randomBytes);
  #native: readonly Buffer[] = [];

  get native(): readonly Buffer[] {
    return this.#native;
  }

  /** @param keys the newest first; replaces all earlier ones @see TicketKeys.setKeys */
  setKeys(keys: readonly TicketKey[]): void {
    this.engine.setKeys(keys);
    this.#native = keys.map(nativeKey);
  }
}

/** Tickets of OpenSSL have another format than ours, so they have other keys (RFC 5869) and other names. */
function nativeKey(key: TicketKey): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', "oldhello tickets of Node's TLS", TICKET_KEY_LENGTH));
}

/** As long as the oldest key that still decrypts tickets. */
export const TICKET_LIFETIME_SECONDS = 24 * 60 * 60;
