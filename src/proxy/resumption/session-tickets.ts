/** Session tickets of both TLS stacks, under keys that come from the same ones. */
import { hkdfSync, randomBytes } from 'node:crypto';
import { TICKET_KEY_LENGTH, TicketKeys, type TicketKey, type TicketProtector } from '../../tls/index.js';

/** What a host of connections needs to know of tickets. */
export interface TicketSource {
  readonly engine: TicketProtector;
  /** What Node's TLS takes as `ticketKeys`, the newest first; none before the first were chosen. */
  readonly native: readonly Buffer[];
}

export class SessionTickets implements TicketSource {
  readonly engine = new TicketKeys(TICKET_LIFETIME_SECONDS, () => Math.floor(Date.now() / 1000), randomBytes);
  #native: readonly Buffer[] = [];

  get native(): readonly Buffer[] {
    return this.#native;
  }

  /** @param keys the newest first; replaces all earlier ones @see TicketKeys.use */
  use(keys: readonly TicketKey[]): void {
    this.engine.use(keys);
    this.#native = keys.map(nativeKey);
  }
}

/** OpenSSL's tickets have another form than ours, so they have other keys (RFC 5869), and other names. */
function nativeKey(key: TicketKey): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', "oldhello tickets of Node's TLS", TICKET_KEY_LENGTH));
}

/** Seconds a ticket is good for: as long as the oldest key that still opens tickets lives. */
export const TICKET_LIFETIME_SECONDS = 24 * 60 * 60;
