/** Where a backend listens: at a host and port, or at a Unix socket. */
import { hostAndPort, parseHostAndPort, type HostAndPort } from './endpoint.js';

export interface UnixAddress {
  /** Absolute. */
  readonly path: string;
}

export type BackendAddress = HostAndPort | UnixAddress;

export function isUnixAddress(address: BackendAddress): address is UnixAddress {
  return 'path' in address;
}

/** As an admin writes it: "192.0.2.7:25", "[2001:db8::1]:25", "mail.example.com:25", "unix:/run/mta.sock". */
export function backendAddressText(address: BackendAddress): string {
  return isUnixAddress(address) ? `${UNIX}${address.path}` : hostAndPort(address.host, address.port);
}

/** The inverse; undefined for other text. */
export function parseBackendAddress(text: string): BackendAddress | undefined {
  if (!text.startsWith(UNIX)) return parseHostAndPort(text);
  const path = text.slice(UNIX.length);
  const isUsable = path.startsWith('/') && !path.includes('\0') && Buffer.byteLength(path) <= MAX_PATH_BYTES;
  return isUsable ? { path } : undefined;
}

const UNIX = 'unix:';
/** `sun_path` of unix(7) has 108 bytes with the zero at its end; the BSDs have 104. */
const MAX_PATH_BYTES = 103;
