/**
 * Whether a request was meant for us. A web page of somebody else's can have its reader's browser ask
 * `http://evil.example:9125/` after pointing that name at 127.0.0.1 (DNS rebinding), and read the answer; the Host header
 * then has that name. An IP address cannot be pointed elsewhere.
 */
import { isIP } from 'node:net';

/** @param names in lower case, without ports */
export function isOurHost(header: string | undefined, names: readonly string[]): boolean {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/?#@\s]+))(?::\d{1,5})?$/.exec(header ?? '');
  if (match === null) return false;
  const [, ipv6, name = ''] = match;
  if (ipv6 !== undefined) return isIP(ipv6) === 6;
  const host = name.toLowerCase();
  return isIP(host) === 4 || host === 'localhost' || names.includes(host);
}
