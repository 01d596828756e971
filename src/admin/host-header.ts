/**
 * Protects against DNS rebinding: a hostile web page points its own name at 127.0.0.1 and has a browser request
 * `http://evil.example:9125/`. The Host header then has that name. An IP address cannot be pointed elsewhere.
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
