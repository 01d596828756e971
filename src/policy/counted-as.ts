/** Under which name the limits count a client. */
import { isIPv6 } from 'node:net';

/** Of IPv6 the /64, which is what one customer or one host gets at least (RFC 6177) and can walk through at will. */
export function limitKey(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [
    ...before,
    ...Array<string>(Math.max(0, GROUPS - before.length - after.length)).fill('0'),
    ...after,
  ];
  const network = all.slice(0, GROUPS / 2).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}

/** An IPv4 address at the end stands for two groups (RFC 4291, 2.2); what it says is not in the first 64 bits. */
function groups(part: string): string[] {
  return part === '' ? [] : part.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}

const GROUPS = 8;
