/**
 * The server's side of the handshake, top to bottom as in the figures of RFC 5246, 7.3 and RFC 5077, 3.1. See wait.ts
 * for how it waits. It knows nothing of records, alerts or renegotiation; a refusal is thrown and nothing here catches.
 */
import { timingSafeEqual } from 'node:crypto';
import { TlsError } from '../alert.js';
import { CIPHER_SUITE_BY_ID, type CipherSuite } from '../cipher-suites.js';
import {
  HandshakeType,
  ProtocolVersion,
  TLS_1_3,
  type NamedGroup,
  type SignatureScheme,
} from '../code-points.js';
import { RANDOM_LENGTH, type ClientHello } from '../hello/client-hello.js';
import { decodeHelloExtensions, ssl3Extensions } from '../hello/extensions.js';
import type { Credential } from '../server-parameters.js';
import { versionRules, type VersionRules } from './version-rules.js';
import type { HandshakeIo } from './io.js';
import { connectionProtection, type ConnectionProtection } from './key-schedule.js';
import { serverKeyExchangeSignature, startKeyExchange, type ServerKeyExchange } from './key-exchange.js';
import {
  encodeCertificate,
  encodeNewSessionTicket,
  encodeServerHello,
  encodeServerKeyExchange,
  type ServerExtensions,
} from './messages.js';
import { isNamed, negotiate, negotiateVersion, type Negotiated, type Offer } from './negotiate.js';
import { findSession, type FoundSession } from './resumption.js';
import type { Session } from '../session/session.js';
import { privateKey, receive, receiveChangeCipherSpec, type Step } from './wait.js';

/** What both sides agreed on; holds no secret. */
export interface Established {
  readonly version: ProtocolVersion;
  readonly suite: CipherSuite;
  readonly resumed: boolean;
  readonly serverName: string | undefined;
  readonly secureRenegotiation: boolean;
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
  readonly maxFragmentLength: number | undefined;
  /** Undefined on a resumed session, which shows no certificate. */
  readonly credential: Credential | undefined;
  readonly group: NamedGroup | undefined;
  /** Bits of the prime of a DHE key exchange. */
  readonly dhBits: number | undefined;
  readonly signatureScheme: SignatureScheme | undefined;
}

export function* serverHandshake(io: HandshakeIo, hello: ClientHello): Step<Established> {
  io.transcript.add(hello.original);
  const extensions = decodeHelloExtensions(hello);
  const version = negotiateVersion({ hello, extensions }, io.parameters);
  io.useVersion(versionRules(version));
  const offer: Offer = {
    hello,
    extensions: version === ProtocolVersion.SSLv3 ? ssl3Extensions(extensions) : extensions,
  };
  const found = yield* findSession(io, offer, version);
  return found === undefined
    ? yield* fullHandshake(io, offer, version)
    : yield* abbreviatedHandshake(io, offer, found);
}

function* fullHandshake(io: HandshakeIo, offer: Offer, version: ProtocolVersion): Step<Established> {
  const negotiated = negotiate(offer, version, io.parameters);
  const { suite, credential } = negotiated;
  const state = startState(io, offer, version, suite);
  const extensions = answerExtensions(io, offer, state, isNamedBy(offer, credential));
  const sessionId = newSessionId(io, extensions);

  sendServerHello(io, state, sessionId, extensions);
  io.send(HandshakeType.certificate, encodeCertificate(credential));
  const keyExchange = startKeyExchange(io, negotiated, offer.hello.clientVersion);
  if (keyExchange.params !== undefined)
    yield* sendServerKeyExchange(io, state, negotiated, keyExchange.params);
  io.send(HandshakeType.server_hello_done, NOTHING);
  io.flush();

  const masterSecret = yield* receiveKeyExchange(io, state, keyExchange);
  try {
    const protection = protect(io, state, masterSecret);
    const peer = yield* receiveFinished(io, state, masterSecret, protection);
    const session = sessionOf(state, offer, masterSecret, io.parameters.sessionContext);
    if (extensions.sessionTicket) sendNewSessionTicket(io, session);
    sendFinished(io, state, masterSecret, protection);
    io.flush();
    if (sessionId.length > 0) io.saveSession(sessionId, session);
    else session.masterSecret.fill(0);
    return establish(peer, state, offer, { ...NO_KEY_EXCHANGE, ...facts(negotiated) });
  } finally {
    masterSecret.fill(0);
  }
}

/** RFC 5246, 7.3, figure 2: our Finished comes first. */
function* abbreviatedHandshake(io: HandshakeIo, offer: Offer, found: FoundSession): Step<Established> {
  const { session, storedAs } = found;
  const { masterSecret } = session;
  const suite = CIPHER_SUITE_BY_ID.get(session.cipherSuite)!;
  try {
    const state = startState(io, offer, session.version, suite);
    const extensions = { ...answerExtensions(io, offer, state, false), sessionTicket: false };
    sendServerHello(io, state, offer.hello.sessionId, extensions);
    const protection = protect(io, state, masterSecret);
    sendFinished(io, state, masterSecret, protection);
    io.flush();
    const peer = yield* receiveFinished(io, state, masterSecret, protection);
    // Not before: anybody may have seen the id, and could have the session forgotten by an alert in clear.
    if (storedAs !== undefined) io.resumeSession(storedAs);
    return establish(peer, state, offer, { ...NO_KEY_EXCHANGE, resumed: true });
  } finally {
    masterSecret.fill(0);
  }
}

/** What is fixed once ServerHello is. */
interface HandshakeState {
  readonly rules: VersionRules;
  readonly suite: CipherSuite;
  readonly clientRandom: Buffer;
  readonly serverRandom: Buffer;
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
}

function startState(
  io: HandshakeIo,
  { hello, extensions }: Offer,
  version: ProtocolVersion,
  suite: CipherSuite,
): HandshakeState {
  const rules = versionRules(version);
  io.transcript.start(rules.transcriptAlgorithms(suite));
  return {
    rules,
    suite,
    clientRandom: hello.random,
    serverRandom: newServerRandom(io, version),
    extendedMasterSecret: extensions.extendedMasterSecret,
    // RFC 7366, 3: for CBC suites only.
    encryptThenMac: extensions.encryptThenMac && suite.bulk.kind === 'cbc',
  };
}

/** RFC 8446, 4.1.3: the last bytes tell a client that can do better that somebody stripped its offer. */
function newServerRandom(io: HandshakeIo, version: ProtocolVersion): Buffer {
  const random = io.parameters.random(RANDOM_LENGTH);
  const { serviceMaxVersion } = io.parameters;
  if (version === ProtocolVersion['TLSv1.2']) {
    if (serviceMaxVersion >= TLS_1_3) DOWNGRADE_TO_1_2.copy(random, RANDOM_LENGTH - DOWNGRADE_TO_1_2.length);
  } else if (serviceMaxVersion >= ProtocolVersion['TLSv1.2']) {
    DOWNGRADE_TO_1_1.copy(random, RANDOM_LENGTH - DOWNGRADE_TO_1_1.length);
  }
  return random;
}

function answerExtensions(
  io: HandshakeIo,
  { extensions }: Offer,
  state: HandshakeState,
  serverNameUsed: boolean,
): ServerExtensions {
  const { maxFragmentLength } = extensions;
  if (maxFragmentLength !== undefined) io.limitFragments(maxFragmentLength);
  return {
    serverName: serverNameUsed,
    maxFragmentLength,
    ecPointFormats: extensions.ecPointFormats && state.suite.keyExchange === 'ecdhe',
    encryptThenMac: state.encryptThenMac,
    extendedMasterSecret: state.extendedMasterSecret,
    sessionTicket: extensions.sessionTicket !== undefined && io.parameters.tickets !== undefined,
    renegotiationInfo: extensions.secureRenegotiation,
  };
}

function isNamedBy({ extensions: { serverName } }: Offer, credential: Credential): boolean {
  return serverName !== undefined && isNamed(credential, serverName);
}

/** RFC 5077, 3.4: with a ticket on its way the session id stays empty. */
function newSessionId(io: HandshakeIo, { sessionTicket }: ServerExtensions): Buffer {
  return io.parameters.sessionIds && !sessionTicket ? io.parameters.random(SESSION_ID_LENGTH) : NOTHING;
}

function sendServerHello(
  io: HandshakeIo,
  { rules, serverRandom, suite }: HandshakeState,
  sessionId: Buffer,
  extensions: ServerExtensions,
): void {
  const hello = {
    version: rules.version,
    random: serverRandom,
    sessionId,
    cipherSuite: suite.id,
    extensions,
  };
  io.send(HandshakeType.server_hello, encodeServerHello(hello));
}

function* sendServerKeyExchange(
  io: HandshakeIo,
  { clientRandom, serverRandom }: HandshakeState,
  negotiated: Negotiated,
  params: Buffer,
): Step<void> {
  const randoms = Buffer.concat([clientRandom, serverRandom]);
  const signature = yield* privateKey(io, serverKeyExchangeSignature(negotiated, randoms, params));
  const body = encodeServerKeyExchange(params, negotiated.signatureScheme, signature);
  io.send(HandshakeType.server_key_exchange, body);
}

/** ClientKeyExchange to master secret; the premaster secret does not outlive this function. */
function* receiveKeyExchange(
  io: HandshakeIo,
  { rules, suite, clientRandom, serverRandom, extendedMasterSecret }: HandshakeState,
  keyExchange: ServerKeyExchange,
): Step<Buffer> {
  const body = yield* receive(io, HandshakeType.client_key_exchange);
  const premasterSecret = yield* keyExchange.premasterSecret(body);
  try {
    return extendedMasterSecret
      ? rules.extendedMasterSecret!(suite, premasterSecret, io.transcript.digest())
      : rules.masterSecret(suite, premasterSecret, Buffer.concat([clientRandom, serverRandom]));
  } finally {
    premasterSecret.fill(0);
  }
}

function protect(io: HandshakeIo, state: HandshakeState, masterSecret: Buffer): ConnectionProtection {
  const seed = Buffer.concat([state.serverRandom, state.clientRandom]);
  const { rules, suite, encryptThenMac } = state;
  return connectionProtection(rules, suite, masterSecret, seed, encryptThenMac, io.parameters.random);
}

/** Made only by the one function that checked the client's Finished, and needed to establish a connection. */
class PeerFinished {
  readonly verified = true;
}

function* receiveFinished(
  io: HandshakeIo,
  { rules, suite }: HandshakeState,
  masterSecret: Buffer,
  protection: ConnectionProtection,
): Step<PeerFinished> {
  yield* receiveChangeCipherSpec(io);
  io.protectReads(protection.read);
  const expected = rules.verifyData(suite, masterSecret, io.transcript, 'client');
  const verifyData = yield* receive(io, HandshakeType.finished);
  if (verifyData.length !== expected.length) {
    throw new TlsError('malformed_message', `${verifyData.length} bytes of verify_data`);
  }
  if (!timingSafeEqual(verifyData, expected)) throw new TlsError('bad_finished');
  return new PeerFinished();
}

function sendFinished(
  io: HandshakeIo,
  { rules, suite }: HandshakeState,
  masterSecret: Buffer,
  protection: ConnectionProtection,
): void {
  io.sendChangeCipherSpec();
  io.protectWrites(protection.write);
  io.send(HandshakeType.finished, rules.verifyData(suite, masterSecret, io.transcript, 'server'));
}

/** RFC 5077, 3.3: after the client's Finished is verified, before our ChangeCipherSpec. */
function sendNewSessionTicket(io: HandshakeIo, session: Session): void {
  const tickets = io.parameters.tickets!;
  const body = encodeNewSessionTicket(tickets.lifetimeHint, tickets.protect(session) ?? NOTHING);
  io.send(HandshakeType.new_session_ticket, body);
}

function sessionOf(
  { rules, suite, extendedMasterSecret, encryptThenMac }: HandshakeState,
  { extensions }: Offer,
  masterSecret: Buffer,
  context: string,
): Session {
  return {
    version: rules.version,
    cipherSuite: suite.id,
    masterSecret: Buffer.from(masterSecret),
    extendedMasterSecret,
    encryptThenMac,
    maxFragmentLength: extensions.maxFragmentLength,
    serverName: extensions.serverName,
    context,
  };
}

type KeyExchangeInfo = Pick<Established, 'resumed' | 'credential' | 'group' | 'dhBits' | 'signatureScheme'>;

function facts({ credential, ecdhGroup, dhGroup, signatureScheme }: Negotiated): Partial<KeyExchangeInfo> {
  return { credential, group: ecdhGroup, dhBits: dhGroup && dhGroup.prime.length * 8, signatureScheme };
}

function establish(
  _peer: PeerFinished,
  { rules, suite, extendedMasterSecret, encryptThenMac }: HandshakeState,
  { extensions }: Offer,
  keyExchange: KeyExchangeInfo,
): Established {
  return {
    version: rules.version,
    suite,
    serverName: extensions.serverName,
    secureRenegotiation: extensions.secureRenegotiation,
    extendedMasterSecret,
    encryptThenMac,
    maxFragmentLength: extensions.maxFragmentLength,
    ...keyExchange,
  };
}

const NO_KEY_EXCHANGE: KeyExchangeInfo = {
  resumed: false,
  credential: undefined,
  group: undefined,
  dhBits: undefined,
  signatureScheme: undefined,
};

const NOTHING = Buffer.alloc(0);
const SESSION_ID_LENGTH = 32;
const DOWNGRADE_TO_1_2 = Buffer.from('DOWNGRD\x01', 'latin1');
const DOWNGRADE_TO_1_1 = Buffer.from('DOWNGRD\x00', 'latin1');
