/** Node's own TLS for clients that can do TLS 1.2 or 1.3 well, on a socket whose first bytes were already read. */
import { constants } from 'node:crypto';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { ExtensionType, type ClientHello } from '../../tls/index.js';
import type { LoadedCredential } from '../../credentials/credentials.js';
import { CertificateSets, type CertificateSet } from './certificate-sets.js';
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

export class NativeTls {
  readonly #certificates: CertificateSets;
  readonly #tickets: TicketSource;

  /**
   * @param loaded at least one
   * @param defaultServerName see ServerParameters
   * @throws what OpenSSL says of a certificate or key
   */
  constructor(
    loaded: readonly LoadedCredential[],
    defaultServerName: string | undefined,
    tickets: TicketSource,
  ) {
    this.#certificates = new CertificateSets(loaded, defaultServerName);
    this.#tickets = tickets;
    secureContext(this.#certificates.choicesFor(undefined)[0]!, undefined);
  }

  /** The certificates for a client, the best choice first. @param serverName as the client asks for it */
  choicesFor(serverName: string | undefined): readonly CertificateSet[] {
    return this.#certificates.choicesFor(serverName);
  }

  /**
   * Takes the socket over.
   * @param bytes what came on it so far
   * @param hello what `bytes` hold
   * @param certificates of `choicesFor`
   * @returns the encrypted channel. Until `established` only its end may be handled
   */
  accept(
    raw: SocketChannel,
    bytes: Buffer,
    hello: ClientHello,
    certificates: CertificateSet,
    events: NativeEvents,
  ): SocketChannel {
    const socket = raw.release();
    socket.unshift(bytes);
    const tls = new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#contextOf(certificates, this.#keyFor(hello)),
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

  #contextOf(certificates: CertificateSet, ticketKey: Buffer): SecureContext {
    const made = certificates.contexts.get(ticketKey) ?? secureContext(certificates, ticketKey);
    certificates.contexts.set(ticketKey, made);
    return made;
  }
}

/** OpenSSL takes an RSA and an ECDSA certificate into the same context and chooses. */
function secureContext({ loaded, id }: CertificateSet, ticketKeys: Buffer | undefined): SecureContext {
  return createSecureContext({
    cert: loaded.map(({ chainPem }) => chainPem),
    key: loaded.map(({ keyPem }) => keyPem),
    minVersion: 'TLSv1.2',
    ciphers: NATIVE_CIPHERS,
    ecdhCurve: NATIVE_GROUP_LIST,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionTimeout: TICKET_LIFETIME_SECONDS,
    // All tickets open with the same keys, but none resumes what began with other certificates.
    sessionIdContext: id,
    ...(ticketKeys && { ticketKeys }),
  });
}

/** Bytes with which a ticket of OpenSSL's begins, and a key of Node's `ticketKeys`. */
const KEY_NAME_LENGTH = 16;
/** Where the first identity begins: behind the length of all, and its own (RFC 8446, 4.2.11). */
const FIRST_IDENTITY = 4;
