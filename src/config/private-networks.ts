/** Addresses that most mail servers relay for, because only their own networks use them. */
import { BlockList, isIP } from 'node:net';

/** @returns false for what is no IP address */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && PRIVATE_NETWORKS.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

export function relayRisk(address: string): string {
  return (
    `with "none" the backend takes every client for ${address}, and most mail servers relay for that address: ` +
    'an open relay. Use "proxy-v2", "proxy-v1" or "xclient", or, if the backend relays for no client by its address, ' +
    'set acknowledge-relay-risk = true'
  );
}

/** Loopback, private (RFC 1918, RFC 4193), link-local and shared (RFC 6598) addresses. */
const PRIVATE_NETWORKS = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  PRIVATE_NETWORKS.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  PRIVATE_NETWORKS.addSubnet(network, prefix, 'ipv6');
}
