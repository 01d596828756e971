/** Which failures of a session count against the address of a backend for all clients. */
import { createServer, type AddressInfo } from 'node:net';
import { test, type Test } from 'tap';
import { parseConfig } from '../../../src/config/load.js';
import { BackendError, type BackendFailure } from '../../../src/proxy/backend/backend-error.js';
import { openBackendSession, type WantedSession } from '../../../src/proxy/backend/failover.js';
import type { BackendPlan } from '../../../src/proxy/backend/open-session.js';
import type { BackendTarget } from '../../../src/proxy/backend/target.js';
import type { SocketChannel } from '../../../src/proxy/transport/socket-channel.js';
import { proxyConfig } from '../../support/proxy-config.js';

const END = { address: '192.0.2.9', port: 25 };

/** @returns the port of a server that accepts and says nothing */
async function silentServer(t: Test): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

interface Outcome {
  readonly failure: BackendError;
  /** How often an address was marked as down. */
  readonly marked: number;
}

/** A session with a backend of two addresses that are the same. @param fail how the TLS of each ends */
function attempt(address: object, healthInterval: string, fail?: BackendFailure): Promise<Outcome> {
  const text = proxyConfig({
    backend: { address: '127.0.0.1:25', identity: 'proxy-v2', 'health-interval': healthInterval },
  });
  const backend = parseConfig(text, 'oldhello.toml').backends[0]!;
  const target = { backend, configured: backend.address[0]!, address } as BackendTarget;
  let marked = 0;
  const plan = {
    config: backend,
    hostname: 'proxy.example',
    log: () => undefined,
    greetingTimeout: 60_000,
    tls: {
      secure: (channel: SocketChannel, _: unknown, handler: { failed(error: BackendError): void }) => {
        channel.destroy();
        handler.failed(new BackendError(fail!, target, ''));
        return () => undefined;
      },
    },
    addresses: {
      sessionTargets: () => Promise.resolve([target, target]),
      failed: () => (marked += 1),
      succeeded: () => undefined,
    },
  } as unknown as BackendPlan;
  const wanted: WantedSession = {
    identity: { connection: 'id', source: END, destination: END },
    security: 'implicit',
    smtp: true,
  };
  return new Promise((resolve, reject) => {
    openBackendSession(plan, wanted, {
      ready: () => reject(new Error('a session without a server')),
      failed: (failure) => resolve({ failure, marked }),
    });
  });
}

test('what one client can bring about marks no address as down where health checks run', async (t) => {
  const address = { host: '127.0.0.1', port: await silentServer(t) };
  for (const reason of ['backend_tls_failed', 'backend_starttls_refused', 'backend_ehlo_refused'] as const) {
    t.match(await attempt(address, '30s', reason), { failure: { reason }, marked: 0 });
    t.match(await attempt(address, '0', reason), { failure: { reason }, marked: 2 }, 'else nothing would');
  }
  const untrusted = await attempt(address, '30s', 'backend_tls_untrusted');
  t.equal(untrusted.marked, 2, 'no client has a say in the certificate of the backend');
});

test('a machine without a local port for the connection marks no address as down, and tries the next', async (t) => {
  const address = { host: '127.0.0.1', port: await silentServer(t), localAddress: '192.0.2.1' };
  t.match(await attempt(address, '0'), { failure: { code: 'EADDRNOTAVAIL' }, marked: 0 });
});
