/** From the first byte of TLS to an encrypted channel, by the engine or by Node's TLS, or to a failure. */
import { explainFailure, explainNativeFailure, explainNotTls } from '../../observe/explain.js';
import { explainPeerAlert } from '../../observe/peer-alerts.js';
import { engineTlsInfo, type Failure, type TlsInfo } from '../../observe/connection-record.js';
import { sanitizePeerText } from '../../observe/sanitize.js';
import {
  Acceptor,
  decodeHelloExtensions,
  REFUSALS,
  TlsError,
  type Accepted,
  type ClientHello,
  type Outcome,
  type ServerParameters,
} from '../../tls/index.js';
import type { TLSSocket } from 'node:tls';
import type { CertificateInfo } from '../../credentials/certificate-info.js';
import type { LoadedCredential } from '../../credentials/credentials.js';
import { NO_HANDLER, type Channel } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';
import { EngineChannel, type EngineServices } from './engine-channel.js';
import type { NativeTls } from './native-tls.js';
import { route } from './route.js';
import type { CertificateSet } from './certificate-sets.js';

export interface TlsProfile {
  readonly certificates: readonly LoadedCredential[];
  readonly parameters: ServerParameters;
  /** Undefined if no certificate is for modern clients, or if their TLS does not end here. */
  readonly native: NativeTls | undefined;
  readonly modern: 'terminate' | 'engine' | 'passthrough';
}

export interface TlsEvents {
  hello(hello: ClientHello): void;
  /** The channel is paused and has no handler yet; `shown` is the certificate, where one was shown. */
  established(channel: Channel, facts: TlsInfo, shown: CertificateInfo | undefined): void;
  /** The client gets the backend's own TLS; `bytes` are those that it has sent. The raw channel is paused. */
  passthrough(bytes: Buffer): void;
  /** May come after `established` too. */
  failed(failure: Failure): void;
  /** The client sent what may be SMTP in clear; a reply may be written to the raw channel. */
  plaintext(bytes: Buffer): void;
  /** The transport closed before TLS was established. */
  closed(error: Error | undefined): void;
}

export class TlsAcceptor {
  readonly #raw: SocketChannel;
  readonly #profile: TlsProfile;
  readonly #services: EngineServices;
  readonly #events: TlsEvents;
  readonly #acceptor = new Acceptor();
  #hello: ClientHello | undefined;
  #channel: Channel;
  /** The current step of the handshake, with the message that it waits for. */
  #stage: { readonly waitingFor: string } = CLIENT_HELLO;

  constructor(raw: SocketChannel, profile: TlsProfile, services: EngineServices, events: TlsEvents) {
    this.#raw = raw;
    this.#profile = profile;
    this.#services = services;
    this.#events = events;
    this.#channel = raw;
  }

  begin(): void {
    const raw = this.#raw;
    raw.handler = {
      ...NO_HANDLER,
      data: (bytes) => this.#receive(bytes),
      end: () => raw.end(),
      closed: (error) => this.#events.closed(error),
    };
    raw.resume();
  }

  /** The client's channel: TCP, or the TLS that is being established on it. */
  get channel(): Channel {
    return this.#channel;
  }

  /** The message that did not come before the timeout. */
  get waitingFor(): string {
    return this.#stage.waitingFor;
  }

  #receive(bytes: Buffer): void {
    const accepted = this.#acceptor.push(bytes);
    if (accepted === undefined) return;
    this.#raw.pause();
    if (accepted.kind === 'client_hello') {
      this.#hello = accepted.hello;
      this.#events.hello(accepted.hello);
    }
    this.#serve(accepted);
  }

  #serve(accepted: Accepted): void {
    const { native, modern } = this.#profile;
    const certificates = native && this.#certificatesFor(accepted, native, modern);
    if (certificates !== undefined) this.#serveNatively(native!, certificates, accepted.bytes);
    else if (this.#passesThrough(accepted)) this.#events.passthrough(accepted.bytes);
    else if (accepted.kind === 'plaintext') this.#events.plaintext(accepted.bytes);
    else this.#serveByEngine(accepted);
  }

  /** The best choice that Node's TLS can serve this client with; undefined where the engine serves it. */
  #certificatesFor(
    accepted: Accepted,
    native: NativeTls,
    modern: TlsProfile['modern'],
  ): CertificateSet | undefined {
    if (accepted.kind !== 'client_hello') return undefined;
    const choices = native.choicesFor(serverNameOf(accepted.hello));
    return choices.find(({ authentications }) => route(accepted, { modern, authentications }) === 'native');
  }

  #passesThrough(accepted: Accepted): boolean {
    const { modern } = this.#profile;
    if (modern !== 'passthrough') return false;
    return route(accepted, { modern, authentications: ['rsa', 'ecdsa'] }) === 'passthrough';
  }

  #serveByEngine(accepted: Accepted): void {
    let established = false;
    const channel = new EngineChannel(this.#raw, this.#profile.parameters, this.#services, {
      established: (facts) => {
        established = true;
        this.#hello = undefined;
        channel.pause();
        this.#events.established(channel, engineTlsInfo(facts), this.#shown(facts.credential?.chain[0]));
      },
      ended: (outcome) => {
        const failure = this.#failureOf(outcome, established);
        if (failure !== undefined) this.#events.failed(failure);
      },
    });
    channel.handler = { ...NO_HANDLER, closed: (error) => this.#events.closed(error) };
    this.#channel = channel;
    this.#stage = channel;
    channel.resume();
    channel.accept(accepted);
  }

  #serveNatively(native: NativeTls, certificates: CertificateSet, bytes: Buffer): void {
    this.#stage = NATIVE;
    let established = false;
    const channel = native.accept(this.#raw, bytes, this.#hello!, certificates, {
      established: (socket) => {
        established = true;
        this.#hello = undefined;
        channel.handler = NO_HANDLER;
        const certificate = socket.isSessionReused() ? undefined : socket.getX509Certificate();
        this.#events.established(channel, nativeTlsInfo(socket), this.#shown(certificate?.raw));
      },
      failed: (error) => {
        this.#events.failed({
          outcome: established ? 'tls_error' : 'native_tls_failed',
          reason: error.code ?? error.name,
          explanation: () => explainNativeFailure(sanitizePeerText(error.message)),
        });
      },
    });
    this.#channel = channel;
    channel.handler = {
      ...NO_HANDLER,
      // A half-close is allowed in SMTP, but a handshake cannot continue after it.
      end: () => channel.destroy(),
      closed: (error) => this.#events.closed(error),
    };
  }

  #shown(certificate: Buffer | undefined): CertificateInfo | undefined {
    if (certificate === undefined) return undefined;
    return this.#profile.certificates.find(({ credential }) => credential.chain[0]!.equals(certificate))
      ?.info;
  }

  #failureOf(outcome: Outcome, established: boolean): Failure | undefined {
    switch (outcome.kind) {
      case 'closed':
        return established ? undefined : { outcome: 'client_gone', reason: 'close_notify' };
      case 'abandoned':
        return undefined;
      case 'data_limit':
        return { outcome: 'data_limit' };
      case 'peer_alert':
        return {
          outcome: 'peer_alert',
          alert: outcome.alert,
          explanation: () => explainPeerAlert(outcome.alert, established),
        };
      case 'not_tls':
        return {
          outcome: 'not_tls',
          reason: outcome.firstBytes,
          explanation: () => explainNotTls(outcome.firstBytes),
        };
      case 'refused': {
        const { alert, error } = outcome;
        const { reason, detail } = error;
        const local = REFUSALS[reason].fault === 'local';
        const { parameters } = this.#profile;
        const hello = this.#hello;
        return {
          outcome: established ? 'tls_error' : 'handshake_refused',
          reason,
          alert,
          fault: local ? 'proxy' : 'client',
          explanation: () => explainFailure({ reason, detail, hello, parameters }),
        };
      }
    }
  }
}

/** Undefined too for extensions that the engine will refuse. */
function serverNameOf(hello: ClientHello): string | undefined {
  try {
    return decodeHelloExtensions(hello).serverName;
  } catch (error) {
    if (error instanceof TlsError) return undefined;
    throw error;
  }
}

const CLIENT_HELLO = { waitingFor: 'client_hello' };
const NATIVE = { waitingFor: "Node's TLS" };

function nativeTlsInfo(socket: TLSSocket): TlsInfo {
  const cipher = socket.getCipher();
  return {
    path: 'native',
    version: socket.getProtocol() ?? 'unknown',
    suite: cipher.name,
    keyExchange: 'ECDHE',
    resumed: socket.isSessionReused(),
    ...(typeof socket.servername === 'string' && { serverName: sanitizePeerText(socket.servername) }),
  };
}
