/** Opens a connection to a backend and sends the PROXY header first. */
import type { BackendConfig } from '../../config/schema.js';
import { backendAddressText } from '../../net/backend-address.js';
import type { Endpoint } from '../../net/endpoint.js';
import type { Log } from '../../observe/log.js';
import { encodeProxyV1 } from '../../proxy-protocol/v1.js';
import { encodeProxyV2 } from '../../proxy-protocol/v2.js';
import type { HelloFormat } from '../../tls/index.js';
import { connectSocket, type SocketChannel } from '../transport/socket-channel.js';
import { BackendError } from './backend-error.js';
import { isRelayRisk } from './relay-risk.js';
import type { BackendTarget } from './target.js';

/** The client's address and port, its destination, and its TLS. */
export interface ClientIdentity {
  readonly connection: string;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly tls?: {
    /** "TLSv1", "SSLv3", … */
    readonly version: string;
    /** OpenSSL's name. */
    readonly cipher: string;
    readonly serverName?: string | undefined;
    readonly helloFormat: HelloFormat;
    /** Of the certificate that the client was shown; undefined where it was shown none. */
    readonly signatureAlgorithm?: string | undefined;
    readonly keyAlgorithm?: string | undefined;
  };
}

export interface DialHandler {
  connected(channel: SocketChannel): void;
  failed(error: BackendError): void;
}

/**
 * @param timeoutMs for the connection to be made
 * @returns a function that gives up on the attempt, if it still runs
 */
export function dialBackend(
  target: BackendTarget,
  identity: ClientIdentity,
  log: Log,
  timeoutMs: number,
  handler: DialHandler,
): () => void {
  const { backend, configured, address } = target;
  const started = performance.now();
  const logAttempt = (failure?: string): void => {
    const duration = performance.now() - started;
    const names = { backend: backend.name, address: backendAddressText(configured) };
    log('backend_connection', { ...names, duration, failure });
  };
  const fail = (error: BackendError): void => {
    clearTimeout(timer);
    logAttempt(error.reason);
    handler.failed(error);
  };
  const giveUp = connectSocket(address, {
    connected: (channel) => {
      if (isRelayRisk(backend, channel)) {
        channel.destroy();
        fail(new BackendError('backend_relay_risk', target, ''));
        return;
      }
      clearTimeout(timer);
      logAttempt();
      writeIdentity(channel, backend, identity);
      handler.connected(channel);
    },
    failed: (error: NodeJS.ErrnoException) => {
      const reason = isOutOfDescriptors(error) ? 'backend_no_descriptor' : 'backend_unreachable';
      fail(new BackendError(reason, target, error.message, error));
    },
  });
  const timer = setTimeout(() => {
    giveUp();
    const detail = `no connection within ${timeoutMs} ms`;
    fail(new BackendError('backend_connect_timeout', target, detail));
  }, timeoutMs);
  return () => {
    clearTimeout(timer);
    giveUp();
  };
}

function isOutOfDescriptors({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EMFILE' || code === 'ENFILE';
}

/** XCLIENT is an SMTP command and has no header. */
function writeIdentity(channel: SocketChannel, backend: BackendConfig, identity: ClientIdentity): void {
  const { source, destination, tls, connection } = identity;
  const addresses = { command: 'PROXY', source, destination } as const;
  if (backend.identity === 'proxy-v1') channel.write(encodeProxyV1(addresses));
  if (backend.identity === 'proxy-v2') {
    channel.write(
      encodeProxyV2(addresses, {
        uniqueId: connection,
        ssl: tls,
        authority: tls?.serverName,
        helloFormat: tls?.helloFormat,
      }),
    );
  }
}
