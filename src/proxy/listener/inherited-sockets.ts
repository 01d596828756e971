/** Which of the listening sockets that systemd passes belong to which configured listener. They match by address. */
import type { ListenerConfig } from '../../config/schema.js';
import { addressBytes, addressText } from '../../net/ip-address.js';
import type { Listener } from './listener.js';

type Bound = Pick<Listener, 'address'>;

/** @throws StraySocketError for a socket that no listener is configured for: its clients would wait for ever */
export function assignSockets<Socket extends Bound>(
  listeners: readonly ListenerConfig[],
  sockets: readonly Socket[],
): Map<ListenerConfig, Socket[]> {
  const assigned = new Map<ListenerConfig, Socket[]>();
  const addresses = new Set(sockets.map(({ address }) => text(address)));
  for (const socket of sockets) {
    const address = text(socket.address);
    const at = (wanted: string): ListenerConfig | undefined =>
      listeners.find((listener) => text(listener.address) === wanted);
    const listener = at(address) ?? at(dualStack(address, addresses) ?? address);
    if (listener === undefined) throw new StraySocketError(address, listeners);
    assigned.set(listener, [...(assigned.get(listener) ?? []), socket]);
  }
  return assigned;
}

/** A listener on [::] is for IPv4 too, so a unit with one socket for each is the same as one socket for both. */
function dualStack(address: string, sockets: ReadonlySet<string>): string | undefined {
  const ipv6 = address.replace(/^0\.0\.0\.0:/, '[::]:');
  return sockets.has(ipv6) ? ipv6 : undefined;
}

/** One spelling for each address. A UNIX socket has its path in the place of an address, or nothing. */
function text(where: ListenerConfig['address'] | Bound['address'] | string | null): string {
  if (where === null || typeof where === 'string') return `unix:${where ?? ''}`;
  const host = 'host' in where ? where.host : where.address;
  const bytes = addressBytes(host);
  const canonical = bytes === undefined ? host : addressText(bytes);
  return canonical.includes(':') ? `[${canonical}]:${where.port}` : `${canonical}:${where.port}`;
}

export class StraySocketError extends Error {
  constructor(socket: string, listeners: readonly ListenerConfig[]) {
    super(
      `systemd passes a socket for ${socket}, but no [[listener]] has that address, only ` +
        `${listeners.map(({ address }) => text(address)).join(', ')}; disable the socket unit ` +
        '(systemctl list-sockets shows it), or make its ListenStream= and the address the same',
    );
    this.name = 'StraySocketError';
  }
}
