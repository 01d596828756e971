/** The steps of a handshake and what they know of each other; server-handshake has their order. */
import { TlsError } from '../alert.js';
import { CIPHER_SUITE_BY_ID, type CipherSuite } from '../cipher-suites.js';
import { HandshakeType, ProtocolVersion } from '../code-points.js';
import type { ClientHello } from '../hello/client-hello.js';
import { decodeHelloExtensions, ssl3Extensions } from '../hello/extensions.js';
import type { Offer } from '../hello/offer.js';
import type { Session } from '../session/session.js';
import { keyExchangeInfo, type Established } from './established.js';
import type { HandshakeIo } from './io.js';
import { signOperation, startKeyExchange, type ServerKeyExchange } from './key-exchange.js';
import { connectionProtection, type ConnectionProtection } from './key-schedule.js';
import {
  encodeCertificate,
  encodeNewSessionTicket,
  encodeServerHello,
  encodeServerKeyExchange,
  type ServerExtensions,
} from './messages.js';
import { negotiate, negotiateVersion, type Negotiated } from './negotiate.js';
import { PeerFinished } from './peer-finished.js';
import { findSession } from './resumption.js';
import { answerExtensions } from './server-extensions.js';
import { newServerRandom } from './server-random.js';
import { versionRules, type VersionRules } from './version-rules.js';
import type { Step } from './wait.js';

export interface Completed {
  readonly finished: PeerFinished;
  readonly established: Established;
  /** What the session is stored under, where it is. */
  readonly sessionId: Buffer | undefined;
}

/** Fields marked with `!` are set by the step that their comment names, and used after it only. */
export class HandshakeSteps {
  readonly #io: HandshakeIo;
  #offer: Offer;
  /** By chooseVersion. */
  #rules!: VersionRules;
  /** By findSession. */
  #resumed: Session | undefined;
  /** By chooseSuite; undefined where a session is resumed. */
  #negotiated: Negotiated | undefined;
  #keyExchange: ServerKeyExchange | undefined;
  /** By findSession or chooseSuite. */
  #suite!: CipherSuite;
  #sessionId: Buffer = NOTHING;
  #storedId: Buffer | undefined;
  /** By sendServerHello. */
  #serverRandom!: Buffer;
  #answered!: ServerExtensions;
  /** By findSession or receiveClientKeyExchange. */
  #masterSecret: Buffer = NOTHING;
  /** By establishKeys. */
  #protection!: ConnectionProtection;

  constructor(io: HandshakeIo, hello: ClientHello) {
    this.#io = io;
    this.#offer = { hello, extensions: decodeHelloExtensions(hello) };
    io.transcript.add(hello.original);
  }

  get resuming(): boolean {
    return this.#resumed !== undefined;
  }

  chooseVersion(): void {
    const version = negotiateVersion(this.#offer, this.#io.parameters);
    this.#rules = versionRules(version);
    this.#io.useVersion(version);
    if (version !== ProtocolVersion.SSLv3) return;
    this.#offer = { ...this.#offer, extensions: ssl3Extensions(this.#offer.extensions) };
  }

  *findSession(): Step<void> {
    const found = yield* findSession(this.#io, this.#offer, this.#rules.version);
    if (found === undefined) return;
    this.#resumed = found.session;
    this.#masterSecret = found.session.masterSecret;
    this.#suite = CIPHER_SUITE_BY_ID.get(found.session.cipherSuite)!;
    // RFC 5077, 3.4: of a ticket too, the client's session id is repeated.
    this.#sessionId = this.#offer.hello.sessionId;
    this.#storedId = found.storedId;
  }

  chooseSuite(): void {
    const { parameters } = this.#io;
    const result = negotiate(this.#offer, this.#rules.version, parameters);
    if ('obstacle' in result) throw new TlsError(result.obstacle);
    this.#negotiated = result.chosen;
    this.#suite = result.chosen.suite;
    this.#keyExchange = startKeyExchange(this.#io, result.chosen, this.#offer.hello.clientVersion);
    // RFC 5077, 3.4: with a ticket on its way the session id stays empty.
    if (!parameters.sessionIds || this.#givesTicket()) return;
    this.#sessionId = parameters.random(SESSION_ID_LENGTH);
    this.#storedId = this.#sessionId;
  }

  sendServerHello(): void {
    const { transcript, parameters } = this.#io;
    transcript.start(this.#rules.transcriptAlgorithms(this.#suite));
    this.#serverRandom = newServerRandom(this.#rules.version, parameters);
    const ticket = !this.resuming && this.#givesTicket();
    this.#answered = answerExtensions(this.#offer, this.#suite, this.#negotiated?.credential, ticket);
    const { maxFragmentLength } = this.#answered;
    if (maxFragmentLength !== undefined) this.#io.limitFragments(maxFragmentLength);
    const hello = {
      version: this.#rules.version,
      random: this.#serverRandom,
      sessionId: this.#sessionId,
      cipherSuite: this.#suite.id,
      extensions: this.#answered,
    };
    this.#io.send(HandshakeType.server_hello, encodeServerHello(hello));
  }

  sendCertificate(): void {
    this.#io.send(HandshakeType.certificate, encodeCertificate(this.#negotiated!.credential));
  }

  /** Nothing, for a key exchange by RSA. */
  *sendServerKeyExchange(): Step<void> {
    const { credential, keyExchange } = this.#negotiated!;
    const { params } = this.#keyExchange!;
    if (keyExchange.kind === 'rsa' || params === undefined) return;
    const { signatureScheme } = keyExchange;
    const data = Buffer.concat([this.#randoms(), params]);
    const signature = yield* this.#io.privateKey(signOperation(credential, signatureScheme, data));
    const body = encodeServerKeyExchange(params, signatureScheme, signature);
    this.#io.send(HandshakeType.server_key_exchange, body);
  }

  /** The end of the flight. */
  sendServerHelloDone(): void {
    this.#io.send(HandshakeType.server_hello_done, NOTHING);
    this.#io.flush();
  }

  /** ClientKeyExchange to master secret; the premaster secret does not outlive this step. */
  *receiveClientKeyExchange(): Step<void> {
    const body = yield* this.#io.receive(HandshakeType.client_key_exchange);
    const premasterSecret = yield* this.#keyExchange!.premasterSecret(body);
    try {
      this.#masterSecret = this.#answered.extendedMasterSecret
        ? this.#rules.extendedMasterSecret!(this.#suite, premasterSecret, this.#io.transcript.digest())
        : this.#rules.masterSecret(this.#suite, premasterSecret, this.#randoms());
    } finally {
      premasterSecret.fill(0);
    }
  }

  establishKeys(): void {
    this.#protection = connectionProtection({
      rules: this.#rules,
      suite: this.#suite,
      masterSecret: this.#masterSecret,
      seed: Buffer.concat([this.#serverRandom, this.#offer.hello.random]),
      encryptThenMac: this.#answered.encryptThenMac,
      random: this.#io.parameters.random,
    });
  }

  *receiveChangeCipherSpec(): Step<void> {
    yield* this.#io.receiveChangeCipherSpec(this.#protection.read);
  }

  *receiveFinished(): Step<PeerFinished> {
    const expected = this.#verifyData('client');
    return new PeerFinished(yield* this.#io.receive(HandshakeType.finished), expected);
  }

  /** RFC 5077, 3.3: after the client's Finished is verified, before our ChangeCipherSpec. */
  sendNewSessionTicket(): void {
    if (!this.#answered.sessionTicket) return;
    const tickets = this.#io.parameters.tickets!;
    const ticket = tickets.protect(this.#session(this.#masterSecret)) ?? NOTHING;
    const body = encodeNewSessionTicket(tickets.lifetimeHint, ticket);
    this.#io.send(HandshakeType.new_session_ticket, body);
  }

  sendChangeCipherSpec(): void {
    this.#io.sendChangeCipherSpec(this.#protection.write);
  }

  /** The end of the flight. */
  sendFinished(): void {
    this.#io.send(HandshakeType.finished, this.#verifyData('server'));
    this.#io.flush();
  }

  saveSession(): void {
    if (this.#storedId === undefined) return;
    this.#io.saveSession(this.#storedId, this.#session(Buffer.from(this.#masterSecret)));
  }

  complete(finished: PeerFinished): Completed {
    const { extensions } = this.#offer;
    return {
      finished,
      sessionId: this.#storedId,
      established: {
        version: this.#rules.version,
        suite: this.#suite,
        resumed: this.resuming,
        serverName: extensions.serverName,
        secureRenegotiation: extensions.secureRenegotiation,
        extendedMasterSecret: this.#answered.extendedMasterSecret,
        encryptThenMac: this.#answered.encryptThenMac,
        maxFragmentLength: extensions.maxFragmentLength,
        ...keyExchangeInfo(this.#negotiated),
      },
    };
  }

  /** The master secret, however the handshake ends. */
  wipe(): void {
    this.#masterSecret.fill(0);
  }

  #givesTicket(): boolean {
    return this.#offer.extensions.sessionTicket !== undefined && this.#io.parameters.tickets !== undefined;
  }

  #randoms(): Buffer {
    return Buffer.concat([this.#offer.hello.random, this.#serverRandom]);
  }

  #verifyData(sender: 'client' | 'server'): Buffer {
    return this.#rules.verifyData(this.#suite, this.#masterSecret, this.#io.transcript, sender);
  }

  #session(masterSecret: Buffer): Session {
    const { extensions } = this.#offer;
    return {
      version: this.#rules.version,
      cipherSuite: this.#suite.id,
      masterSecret,
      extendedMasterSecret: this.#answered.extendedMasterSecret,
      encryptThenMac: this.#answered.encryptThenMac,
      maxFragmentLength: extensions.maxFragmentLength,
      serverName: extensions.serverName,
      context: this.#io.parameters.sessionContext,
    };
  }
}

const NOTHING = Buffer.alloc(0);
const SESSION_ID_LENGTH = 32;
