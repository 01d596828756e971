/** Backends with identity "none" whose name resolves to an address that mail servers relay for. */
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { UnusableValueError } from '../../config/config-error.js';
import { isPrivateAddress, relayRisk } from '../../config/private-networks.js';
import type { BackendConfig, Config } from '../../config/schema.js';
import { isUnixAddress } from '../../net/backend-address.js';
import type { SocketChannel } from '../transport/socket-channel.js';

/** @returns the addresses of a host; none where it has none */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** @throws UnusableValueError for the first backend that would relay for every client */
export async function refuseRelayRisks(
  { backends }: Pick<Config, 'backends'>,
  resolve: Resolve = resolveHost,
): Promise<void> {
  for (const [index, backend] of backends.entries()) {
    if (!isAtRisk(backend)) continue;
    const hosts = backend.address.flatMap((one) => (isUnixAddress(one) ? [] : [one.host]));
    const addresses = (await Promise.all(hosts.map(resolve))).flat();
    const address = addresses.find((one) => isPrivateAddress(one) || isOurs(one));
    if (address === undefined) continue;
    throw new UnusableValueError('backend', index, 'identity', new Error(relayRisk(address)));
  }
}

/** Checked for each connection to a backend, because DNS can change at any time. */
export function isRelayRisk(
  backend: BackendConfig,
  channel: Readonly<Pick<SocketChannel, 'local' | 'remote'>>,
): boolean {
  if (!isAtRisk(backend)) return false;
  const remote = channel.remote?.address;
  return isPrivateAddress(remote ?? '') || channel.local?.address === remote;
}

function isAtRisk({ identity, acknowledgeRelayRisk }: BackendConfig): boolean {
  return identity === 'none' && !acknowledgeRelayRisk;
}

/** A mail server trusts the addresses of its own machine. */
function isOurs(address: string): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === address));
}

async function resolveHost(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    // isRelayRisk checks again when a connection is made.
    return [];
  }
}
