/** Opens a connection to a backend and tells it who the client is before anything else is said. */
import { connect, type Socket } from 'node:net';
import type { BackendConfig } from '../config/schema.js';
import type { Log } from '../observe/log.js';
import { encodeProxyV1 } from '../proxy-protocol/v1.js';
import { encodeProxyV2 } from '../proxy-protocol/v2.js';
import type { HelloFormat } from '../tls/index.js';
import { BackendError } from './backend-error.js';
import { SocketChannel } from './channel.js';
import { leadsNearby } from './relay-risk.js';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Who connected, where to, and how it is protected. */
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

/** @returns a function that gives up on the attempt, if it still runs */
export function dialBackend(
  backend: BackendConfig,
  identity: ClientIdentity,
  log: Log,
  handler: DialHandler,
): () => void {
  const started = performance.now();
  const socket = connect({ ...backend.address, allowHalfOpen: true, noDelay: true });
  const timer = setTimeout(() => {
    const detail = `no connection within ${backend.connectTimeout} ms`;
    settle(() => fail(new BackendError('backend_connect_timeout', backend, detail)));
    socket.destroy();
  }, backend.connectTimeout);
  let settled = false;
  const settle = (report: () => void): void => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    socket.removeListener('error', failed);
    socket.on('error', ignore);
    report();
  };
  const tell = (failure?: string): void => {
    log('backend_connection', { backend: backend.name, duration: performance.now() - started, failure });
  };
  const fail = (error: BackendError): void => {
    tell(error.reason);
    handler.failed(error);
  };
  const failed = (error: Error): void => {
    settle(() => fail(new BackendError('backend_unreachable', backend, error.message)));
  };
  socket.on('error', failed);
  socket.once('connect', () => {
    settle(() => {
      if (leadsNearby(backend, socket)) {
        fail(new BackendError('backend_nearby', backend, ''));
        socket.destroy();
        return;
      }
      tell();
      writeIdentity(socket, backend, identity);
      handler.connected(new SocketChannel(socket));
    });
  });
  return () => {
    settle(() => undefined);
    socket.destroy();
  };
}

/** XCLIENT is said inside SMTP and has no header. */
function writeIdentity(socket: Socket, backend: BackendConfig, identity: ClientIdentity): void {
  const { source, destination, tls, connection } = identity;
  const addresses = { command: 'PROXY', source, destination } as const;
  if (backend.identity === 'proxy-v1') socket.write(encodeProxyV1(addresses));
  if (backend.identity === 'proxy-v2') {
    socket.write(
      encodeProxyV2(addresses, {
        uniqueId: connection,
        ...(tls && {
          ssl: {
            version: tls.version,
            cipher: tls.cipher,
            signatureAlgorithm: tls.signatureAlgorithm,
            keyAlgorithm: tls.keyAlgorithm,
          },
          authority: tls.serverName,
          helloFormat: tls.helloFormat,
        }),
      }),
    );
  }
}

const ignore = (): void => undefined;
