/** Sessions with a backend for a client whose address belongs to nobody. */
import type { ClientIdentity } from '../proxy/backend/dial.js';
import { BackendError } from '../proxy/backend/backend-error.js';
import { openSessionAt, type BackendPlan } from '../proxy/backend/open-session.js';
import type { BackendTarget } from '../proxy/backend/target.js';
import type { SocketChannel } from '../proxy/transport/socket-channel.js';
import type { DeliveryPath } from './delivery-paths.js';

export type Opened =
  { readonly channel: SocketChannel; readonly said: Buffer } | { readonly error: BackendError };

/** @param timeoutMs of the TCP connection, and again from there until the session is ready */
export function openClaimedSession(
  plan: BackendPlan,
  target: BackendTarget,
  path: DeliveryPath,
  timeoutMs: number,
): Promise<Opened> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (opened: Opened): void => {
      clearTimeout(timer);
      resolve(opened);
    };
    const connected = (): void => {
      timer = setTimeout(() => {
        cancel();
        const detail = `it accepts the connection, but the session is not ready within ${timeoutMs / 1000} s`;
        end({ error: new BackendError('backend_greeting_timeout', target, detail) });
      }, timeoutMs);
    };
    const connectTimeoutMs = Math.min(plan.config.connectTimeout, timeoutMs);
    const options = { ...path, identity: PROBE, connectTimeoutMs, connected };
    const cancel = openSessionAt(plan, target, options, {
      ready: (channel, said) => end({ channel, said }),
      failed: (error) => end({ error }),
    });
  });
}

/** TLS to the backend on a channel that is ready for it. */
export function secure(
  plan: BackendPlan,
  target: BackendTarget,
  channel: SocketChannel,
  timeoutMs: number,
): Promise<Opened> {
  return new Promise((resolve) => {
    const end = (opened: Opened): void => {
      clearTimeout(timer);
      resolve(opened);
    };
    const cancel = plan.tls!.secure(channel, target, {
      secured: (secured) => end({ channel: secured, said: NOTHING }),
      failed: (error) => end({ error }),
    });
    const timer = setTimeout(() => {
      cancel();
      const detail = `it does not finish the TLS handshake within ${timeoutMs / 1000} s`;
      end({ error: new BackendError('backend_tls_failed', target, detail) });
    }, timeoutMs);
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
