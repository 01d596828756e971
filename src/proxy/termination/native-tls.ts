/** Node's own TLS for clients that can do TLS 1.2 or 1.3 well, on a socket whose first bytes were already read. */
import { constants } from 'node:crypto';
import { createSecureContext, TLSSocket, type SecureContext, type TLSSocketOptions } from 'node:tls';
import { ExtensionType, isNamed, type ClientHello, type Credential } from '../../tls/index.js';
import type { LoadedCredential } from '../../credentials/credentials.js';
import { NATIVE_GROUP_LIST } from './native-groups.js';
import { NATIVE_CIPHERS } from './route.js';

import { SocketChannel } from '../transport/socket-channel.js';
import { limitOverhead } from './tls-overhead.js';
import { TICKET_LIFETIME_SECONDS, type TicketSource } from '../resumption/session-tickets.js';

export interface NativeEvents {
  /** The channel that `accept` returned is paused and waits for a handler. */
  established(socket: TLSSocket): void;
  /** Before or after `established`; the connection closes by itself. */
  failed(error: Error & { code?: string }): void;
}

/** What is the same for all clients while a ticket key is. */
interface Contexts {
  readonly standard: SecureContext;
  readonly byName: readonly { readonly credential: Credential; readonly context: SecureContext }[];
}

export class NativeTls {
  readonly credentials: readonly Credential[];
  readonly #loaded: readonly LoadedCredential[];
  readonly #tickets: TicketSource;
  /** By ticket key, as Node takes only one for each. */
  readonly #contexts = new WeakMap<Buffer, Contexts>();

  /**
   * @param loaded at least one; OpenSSL takes an RSA and an ECDSA one into the same context and chooses
   * @throws what OpenSSL says of a certificate or key
   */
  constructor(loaded: readonly LoadedCredential[], tickets: TicketSource) {
    this.credentials = loaded.map(({ credential }) => credential);
    this.#loaded = loaded;
    this.#tickets = tickets;
    this.#makeContexts();
  }

  /**
   * Takes the socket over.
   * @param bytes what came on it so far
   * @param hello what `bytes` hold
   * @returns the encrypted channel. Until `established` only its end may be handled
   */
  accept(raw: SocketChannel, bytes: Buffer, hello: ClientHello, events: NativeEvents): SocketChannel {
    const socket = raw.release();
    socket.unshift(bytes);
    const newest = this.#contextsOf(this.#tickets.native[0]!);
    const tls = new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#contextsOf(this.#keyFor(hello)).standard,
      SNICallback: chooserFrom(newest),
      ALPNProtocols: [],
    });
    const channel = new SocketChannel(tls);
    let failed = false;
    const fail = (error: Error & { syscall?: string }): void => {
      // TCP failed, not TLS; the channel reports that when it closes.
      if (error.syscall !== undefined) return;
      if (!failed) events.failed(error);
      failed = true;
    };
    // A TLSSocket that no tls.Server owns reports what OpenSSL finds after the handshake by this event only.
    tls.on('_tlsError', (error: Error) => {
      fail(error);
      tls.destroy();
    });
    tls.on('error', fail);
    tls.once('secure', () => {
      tls.off('error', fail);
      channel.pause();
      limitOverhead(socket, tls, fail);
      events.established(tls);
    });
    channel.resume();
    return channel;
  }

  /** The one that the client's ticket names, so that it opens also when there is a newer one; else the newest. */
  #keyFor({ extensions }: ClientHello): Buffer {
    const keys = this.#tickets.native;
    const offered = [
      extensions?.get(ExtensionType.session_ticket),
      extensions?.get(ExtensionType.pre_shared_key)?.subarray(FIRST_IDENTITY),
    ];
    const names = offered.map((ticket) => ticket?.subarray(0, KEY_NAME_LENGTH));
    return (
      keys.find((key) => names.some((name) => name?.equals(key.subarray(0, KEY_NAME_LENGTH)))) ?? keys[0]!
    );
  }

  #contextsOf(ticketKey: Buffer): Contexts {
    const made = this.#contexts.get(ticketKey) ?? this.#makeContexts(ticketKey);
    this.#contexts.set(ticketKey, made);
    return made;
  }

  #makeContexts(ticketKey?: Buffer): Contexts {
    return {
      standard: secureContext(onePerAlgorithm(this.#loaded), ticketKey),
      byName: this.#loaded.map((one) => ({
        credential: one.credential,
        context: secureContext([one], ticketKey),
      })),
    };
  }
}

/** Made here, as the closed socket that has it stays for a while (see SocketChannel), and what else it could see. */
function chooserFrom({ standard, byName }: Contexts): NonNullable<TLSSocketOptions['SNICallback']> {
  return (name, done) => {
    const named = byName.filter(({ credential }) => isNamed(credential, name.toLowerCase()));
    done(null, named.length === 1 ? named[0]!.context : standard);
  };
}

function secureContext(loaded: readonly LoadedCredential[], ticketKeys: Buffer | undefined): SecureContext {
  return createSecureContext({
    cert: loaded.map(({ chainPem }) => chainPem),
    key: loaded.map(({ keyPem }) => keyPem),
    minVersion: 'TLSv1.2',
    ciphers: NATIVE_CIPHERS,
    ecdhCurve: NATIVE_GROUP_LIST,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionTimeout: TICKET_LIFETIME_SECONDS,
    ...(ticketKeys && { ticketKeys }),
  });
}

function onePerAlgorithm(loaded: readonly LoadedCredential[]): LoadedCredential[] {
  return loaded.filter(
    ({ credential }, index) =>
      loaded.findIndex((other) => other.credential.authentication === credential.authentication) === index,
  );
}

/** Bytes with which a ticket of OpenSSL's begins, and a key of Node's `ticketKeys`. */
const KEY_NAME_LENGTH = 16;
/** Where the first identity begins: behind the length of all, and its own (RFC 8446, 4.2.11). */
const FIRST_IDENTITY = 4;
