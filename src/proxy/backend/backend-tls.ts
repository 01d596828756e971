/** TLS to a backend: oldhello is the client, and verifies the backend. */
import { createHash, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  connect,
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { BackendConfig } from '../../config/schema.js';
import type { BackendAddress } from '../../net/backend-address.js';
import { sanitizePeerText } from '../../observe/sanitize.js';
import { SocketChannel } from '../transport/socket-channel.js';
import { BackendError } from './backend-error.js';
import { hostOf, type BackendTarget } from './target.js';

export interface SecureHandler {
  secured(channel: SocketChannel): void;
  failed(error: BackendError): void;
}

/** One for each backend; keeps the last session with each address, so that most handshakes resume. */
export class BackendTls {
  readonly #backend: BackendConfig;
  readonly #context: SecureContext;
  readonly #sessions = new Map<BackendAddress, Buffer>();

  /** @param ca PEM; undefined for the authorities of Node */
  constructor(backend: BackendConfig, ca: string | undefined) {
    this.#backend = backend;
    this.#context = createSecureContext({ minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) });
  }

  /**
   * Takes over a channel on which the next byte begins TLS.
   * @returns a function that gives up on the attempt, if it still runs
   */
  secure(raw: SocketChannel, target: BackendTarget, handler: SecureHandler): () => void {
    const { tls, tlsName, tlsPin } = this.#backend;
    const { configured } = target;
    const name = tlsName ?? hostOf(configured);
    const known = this.#sessions.get(configured);
    const options: ConnectionOptions & { allowHalfOpen: boolean } = {
      socket: raw.release(),
      allowHalfOpen: true,
      secureContext: this.#context,
      // A pin is stronger than a chain of signatures; with "observe" we send the backend only QUIT.
      rejectUnauthorized: tlsPin === undefined && tls !== 'observe',
      host: name,
      ...(isIP(name) === 0 && { servername: name }),
      ...(known !== undefined && { session: known }),
    };
    const socket = connect(options);
    let settled = false;
    let trusted = false;
    let latest: Buffer | undefined;
    const settle = (report: () => void): void => {
      if (settled) return;
      settled = true;
      socket.off('error', refused);
      socket.on('error', ignore);
      report();
    };
    const fail = (error: BackendError): void => {
      settle(() => handler.failed(error));
      socket.destroy();
    };
    const refused = (error: Error): void => fail(explain(error, target));
    socket.on('error', refused);
    socket.once('close', () => fail(explain(new Error('it closed the connection'), target)));
    socket.on('session', (session) => {
      latest = session;
      if (trusted) this.#sessions.set(configured, session);
    });
    socket.once('secureConnect', () => {
      // A resumed session was verified when it began.
      const pin = tlsPin === undefined || socket.isSessionReused() ? tlsPin : pinOf(socket);
      trusted = pin === tlsPin;
      if (!trusted) {
        const detail = `its key has the pin ${pin}, not tls-pin`;
        fail(new BackendError('backend_tls_untrusted', target, detail));
        return;
      }
      if (latest !== undefined) this.#sessions.set(configured, latest);
      settle(() => handler.secured(new SocketChannel(socket)));
    });
    return () => {
      settle(() => undefined);
      socket.destroy();
    };
  }
}

function explain(error: Error & { code?: string }, target: BackendTarget): BackendError {
  if (error.code === undefined || !UNTRUSTED.test(error.code)) {
    return new BackendError('backend_tls_failed', target, sanitizePeerText(error.message));
  }
  // Node 24 and later append advice on their own command line.
  const [problem] = error.message.split('; if the root CA');
  return new BackendError('backend_tls_untrusted', target, sanitizePeerText(problem!));
}

/** SHA-256 of the SubjectPublicKeyInfo, in base64: the form of RFC 7469, 2.4. */
function pinOf(socket: TLSSocket): string | undefined {
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  const key = certificate?.publicKey.export({ type: 'spki', format: 'der' });
  return key && createHash('sha256').update(key).digest('base64');
}

const ignore = (): void => undefined;

/** Codes of node:tls for a certificate that is valid TLS and not the one we want. */
const UNTRUSTED = /CERT|SIGNED|ISSUER|ALTNAME|CRL/;
