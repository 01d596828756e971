/** Node's own TLS for clients that can do TLS 1.2 or 1.3 well, on a socket whose first bytes were already read. */
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { isNamed, type Credential } from '../tls/index.js';
import type { LoadedCredential } from '../system/credentials.js';
import { NATIVE_CIPHERS } from './route.js';
import { SocketChannel } from './channel.js';

export interface NativeEvents {
  established(channel: SocketChannel, socket: TLSSocket): void;
  failed(error: Error & { code?: string }): void;
  /** The transport closed before there was TLS; after `failed`, if that came. */
  closed(): void;
}

export class NativeTls {
  readonly credentials: readonly Credential[];
  readonly #default: SecureContext;
  readonly #byName: { readonly credential: Credential; readonly context: SecureContext }[];

  /** @param loaded at least one; OpenSSL takes an RSA and an ECDSA one into the same context and chooses */
  constructor(loaded: readonly LoadedCredential[]) {
    this.credentials = loaded.map(({ credential }) => credential);
    this.#default = secureContext(onePerAlgorithm(loaded));
    this.#byName = loaded.map((one) => ({ credential: one.credential, context: secureContext([one]) }));
  }

  /** Takes the socket over; `bytes` are what came on it so far. */
  accept(raw: SocketChannel, bytes: Buffer, events: NativeEvents): void {
    const socket = raw.release();
    socket.unshift(bytes);
    const tls = new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#default,
      SNICallback: (name, done) => done(null, this.#contextFor(name)),
      ALPNProtocols: [],
    });
    const failed = (error: Error): void => events.failed(error);
    const closed = (): void => events.closed();
    // The socket may stay half open for SMTP's sake; half a handshake is none.
    const left = (): void => void tls.destroy();
    tls.on('error', failed);
    tls.on('close', closed);
    tls.on('end', left);
    tls.once('secure', () => {
      tls.off('error', failed);
      tls.off('close', closed);
      tls.off('end', left);
      events.established(new SocketChannel(tls), tls);
    });
    tls.resume();
  }

  #contextFor(name: string): SecureContext {
    const named = this.#byName.filter(({ credential }) => isNamed(credential, name.toLowerCase()));
    return named.length === 1 ? named[0]!.context : this.#default;
  }
}

function secureContext(loaded: readonly LoadedCredential[]): SecureContext {
  return createSecureContext({
    cert: loaded.map(({ chainPem }) => chainPem),
    key: loaded.map(({ keyPem }) => keyPem),
    minVersion: 'TLSv1.2',
    ciphers: NATIVE_CIPHERS,
    honorCipherOrder: true,
  });
}

function onePerAlgorithm(loaded: readonly LoadedCredential[]): LoadedCredential[] {
  return loaded.filter(
    ({ credential }, index) =>
      loaded.findIndex((other) => other.credential.authentication === credential.authentication) === index,
  );
}
