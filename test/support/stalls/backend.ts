/** A mail server that accepts everything, with TLS of its own, and falls silent where it is told to. */
import { EventEmitter, once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { selfSignedCredential } from '../../../src/credentials/credentials.js';

export interface BackendBehaviour {
  /** Where its own TLS begins; `none` has none. */
  readonly tls: 'none' | 'starttls' | 'implicit';
  /** From where on it says nothing more; it reads on. Absent: nowhere. */
  readonly silent?: 'greeting' | 'EHLO' | 'TLS' | 'ServerHello' | undefined;
}

export interface StallBackend {
  readonly port: number;
  /** Resolves when so many health checks more are over. */
  checks(count: number): Promise<void>;
  /** Its connections only; others may come. */
  closeConnections(how: 'end' | 'resetAndDestroy'): void;
  close(): void;
}

/** The name in the certificate. */
export const BACKEND_NAME = 'backend.example';

/** @param folder gets the certificate, as self-signed.crt */
export function makeBackendContext(folder: string): SecureContext {
  const { keyPem: key, chainPem: cert } = selfSignedCredential(folder, BACKEND_NAME);
  return createSecureContext({ key, cert });
}

export interface StallBackendOptions {
  readonly behaviour: BackendBehaviour;
  /** Whether a PROXY header comes first. */
  readonly proxyHeader: boolean;
  readonly host: string;
  readonly secureContext: SecureContext;
}

export async function startStallBackend(options: StallBackendOptions): Promise<StallBackend> {
  const sockets = new Set<Socket>();
  const healthChecks = new EventEmitter();
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    serve(socket, options, () => healthChecks.emit('over'));
  }).listen(0, options.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async checks(count) {
      for (let over = 0; over < count; over++) await once(healthChecks, 'over');
    },
    closeConnections(how) {
      for (const socket of sockets) socket[how]();
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function serve(
  socket: Socket,
  { behaviour, proxyHeader, secureContext }: StallBackendOptions,
  checked: () => void,
): void {
  const secure = (): void => {
    if (behaviour.silent === 'TLS') socket.resume();
    else if (behaviour.silent === 'ServerHello') socket.once('data', () => socket.write(HALF_A_SERVER_HELLO));
    else speak(new TLSSocket(socket, { isServer: true, secureContext }), behaviour, () => undefined);
  };
  const begin = (): void => {
    if (behaviour.tls === 'implicit') secure();
    else speak(socket, behaviour, secure);
  };
  if (!proxyHeader) begin();
  else {
    readProxyHeader(socket, (header) => {
      if (!header.startsWith('PROXY UNKNOWN')) begin();
      else {
        // It is silent to clients only.
        socket.once('close', checked);
        speak(socket, { tls: behaviour.tls }, secure);
      }
    });
  }
}

/** PROXY protocol version 1 ends with its line. */
function readProxyHeader(socket: Socket, then: (header: string) => void): void {
  let header = '';
  const read = (): void => {
    for (let byte = socket.read(1) as Buffer | null; byte !== null; byte = socket.read(1) as Buffer | null) {
      header += byte.toString('latin1');
      if (byte[0] !== LF) continue;
      socket.off('readable', read);
      then(header);
      return;
    }
  };
  socket.on('readable', read);
}

function speak(socket: Socket, { tls, silent }: BackendBehaviour, secure: () => void): void {
  // TLS would wait for the rest of a handshake that cannot come.
  socket.on('error', () => undefined).on('end', () => socket.destroy());
  const afterStarttls = tls === 'starttls' && socket instanceof TLSSocket;
  if (silent !== 'greeting' && !afterStarttls) socket.write(`220 ${BACKEND_NAME} ESMTP\r\n`);
  const offer = tls === 'starttls' && !afterStarttls ? '250-STARTTLS\r\n' : '';
  let inData = false;
  const lines = createInterface({ input: socket }).on('error', () => undefined);
  lines.on('line', (line) => {
    if (inData && line !== '.') return;
    inData = line === 'DATA';
    if (line.startsWith('EHLO')) {
      if (silent !== 'EHLO') socket.write(`250-${BACKEND_NAME}\r\n${offer}250 8BITMIME\r\n`);
    } else if (line === 'STARTTLS') {
      lines.close();
      socket.write('220 2.0.0 go ahead\r\n', secure);
    } else socket.write(REPLIES[line] ?? '250 2.0.0 ok\r\n');
  });
}

const LF = 0x0a;
const REPLIES: Partial<Record<string, string>> = { DATA: '354 go on\r\n', QUIT: '221 2.0.0 bye\r\n' };
/** The header of a handshake record of 64 bytes, and the first four of them. */
const HALF_A_SERVER_HELLO = Buffer.from('160303004002000000', 'hex');
