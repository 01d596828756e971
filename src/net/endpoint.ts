/** One end of a TCP connection, and a host with a port as people write it. */
import { isIP } from 'node:net';
import { addressBytes, addressText } from './ip-address.js';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Destination of a connection; `host` may be a name that is not resolved yet. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** From the values of node:net and libuv, which are undefined for a closed connection. */
export function endpointOf(address: string | undefined, port: number | undefined): Endpoint | undefined {
  return address === undefined ? undefined : { address, port: port ?? 0 };
}

/**
 * A dual-stack socket reports IPv4 clients as IPv4-mapped IPv6. They must count as IPv4: as IPv6 all of them would be in
 * one /64.
 */
export function unmapped({ address, port }: Endpoint): Endpoint {
  if (!address.includes(':')) return { address, port };
  const bytes = addressBytes(address);
  return { address: bytes?.length === 4 ? addressText(bytes) : address, port };
}

/** "192.0.2.7:25", "[2001:db8::1]:25", "mail.example.com:25" */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The inverse; undefined for other text. */
export function parseHostAndPort(text: string): HostAndPort | undefined {
  const [, ipv6, name, digits] = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host === undefined || port > MAX_PORT || (ipv6 !== undefined && isIP(ipv6) !== 6)) return undefined;
  // Digits and dots that are no IPv4 address would be looked up as a name in vain.
  return /^[\d.]+$/.test(host) && isIP(host) !== 4 ? undefined : { host, port };
}

/** RFC 6409, 3.1. */
export const SUBMISSION_PORT = 587;

const MAX_PORT = 65_535;
