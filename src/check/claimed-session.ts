/** Sessions with a backend for a client whose address belongs to nobody. */
import type { ClientIdentity } from '../proxy/backend/dial.js';
import type { BackendError } from '../proxy/backend/backend-error.js';
import { openSessionAt, type BackendPlan } from '../proxy/backend/open-session.js';
import type { BackendTarget } from '../proxy/backend/target.js';
import type { SocketChannel } from '../proxy/transport/socket-channel.js';
import type { DeliveryPath } from './delivery-paths.js';

export type Opened =
  { readonly channel: SocketChannel; readonly said: Buffer } | { readonly error: BackendError };

/** @param timeoutMs of the connection */
export function openClaimedSession(
  plan: BackendPlan,
  target: BackendTarget,
  path: DeliveryPath,
  timeoutMs: number,
): Promise<Opened> {
  return new Promise((resolve) => {
    const connectTimeoutMs = Math.min(plan.config.connectTimeout, timeoutMs);
    const options = { ...path, identity: PROBE, connectTimeoutMs };
    openSessionAt(plan, target, options, {
      ready: (channel, said) => resolve({ channel, said }),
      failed: (error) => resolve({ error }),
    });
  });
}

/** TLS to the backend on a channel that is ready for it. */
export function secure(plan: BackendPlan, target: BackendTarget, channel: SocketChannel): Promise<Opened> {
  return new Promise((resolve) => {
    plan.tls!.secure(channel, target, {
      secured: (secured) => resolve({ channel: secured, said: NOTHING }),
      failed: (error) => resolve({ error }),
    });
  });
}

/** TEST-NET-1 (RFC 5737): no host has this address, so no server trusts it. */
export const CLAIMED_ADDRESS = '192.0.2.25';
const PROBE: ClientIdentity = {
  connection: 'check',
  source: { address: CLAIMED_ADDRESS, port: 2525 },
  destination: { address: '192.0.2.1', port: 25 },
};
const NOTHING = Buffer.alloc(0);
