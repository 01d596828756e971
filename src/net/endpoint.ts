/** One end of a TCP connection. */
import { addressBytes, addressText } from './ip-address.js';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** As node:net and libuv name it, who may have no name for it. */
export function endpointOf(address: string | undefined, port: number | undefined): Endpoint | undefined {
  return address === undefined ? undefined : { address, port: port ?? 0 };
}

/** IPv4 as IPv4, also where a socket that listens for both says it in IPv6: else all of IPv4 would count as one /64. */
export function unmapped({ address, port }: Endpoint): Endpoint {
  if (!address.includes(':')) return { address, port };
  const bytes = addressBytes(address);
  return { address: bytes?.length === 4 ? addressText(bytes) : address, port };
}
