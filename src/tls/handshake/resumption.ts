/** Whether a client may go on with a session it has, and where that session comes from. */
import { TlsError } from '../alert.js';
import { CIPHER_SUITE_BY_ID } from '../cipher-suites.js';
import type { ProtocolVersion } from '../code-points.js';
import type { CompleteParameters } from '../server-parameters.js';
import type { HandshakeIo } from './io.js';
import type { Offer } from '../hello/offer.js';
import type { Session } from '../session/session.js';
import type { Step } from './wait.js';

export interface FoundSession {
  /** The handshake's own: its master secret is wiped when it is used up. */
  readonly session: Session;
  /** Undefined where it came in a ticket. */
  readonly storedId: Buffer | undefined;
}

/**
 * The session this hello may resume.
 * @throws TlsError extended_master_secret_missing (RFC 7627, 5.3)
 */
export function* findSession(
  io: HandshakeIo,
  offer: Offer,
  version: ProtocolVersion,
): Step<FoundSession | undefined> {
  const found = yield* offeredSession(io, offer);
  if (found === undefined) return undefined;
  const { session } = found;
  if (!mayResume(session, offer, version, io.parameters)) {
    session.masterSecret.fill(0);
    return undefined;
  }
  if (session.extendedMasterSecret && !offer.extensions.extendedMasterSecret) {
    session.masterSecret.fill(0);
    throw new TlsError('extended_master_secret_missing');
  }
  return found;
}

/** RFC 5077, 3.4: where a ticket is offered, the session id is not looked up. */
function* offeredSession(io: HandshakeIo, { hello, extensions }: Offer): Step<FoundSession | undefined> {
  const { tickets, sessionIds } = io.parameters;
  const { sessionTicket } = extensions;
  if (tickets !== undefined && sessionTicket !== undefined && sessionTicket.length > 0) {
    const session = tickets.unprotect(sessionTicket);
    return session && { session, storedId: undefined };
  }
  const { sessionId } = hello;
  if (!sessionIds || sessionId.length === 0) return undefined;
  const stored = yield* io.findSession({ kind: 'find_session', sessionId });
  return (
    stored && { session: { ...stored, masterSecret: Buffer.from(stored.masterSecret) }, storedId: sessionId }
  );
}

/** Everything that must be as it was; where anything is not, a full handshake is always right. */
function mayResume(
  session: Session,
  { hello, extensions }: Offer,
  version: ProtocolVersion,
  { cipherSuites, sessionContext }: CompleteParameters,
): boolean {
  const suite = CIPHER_SUITE_BY_ID.get(session.cipherSuite);
  return (
    session.version === version &&
    session.context === sessionContext &&
    // RFC 6066, 3: not under another name.
    session.serverName === extensions.serverName &&
    session.maxFragmentLength === extensions.maxFragmentLength &&
    suite !== undefined &&
    cipherSuites.includes(suite) &&
    hello.cipherSuites.includes(suite.id) &&
    // RFC 7627, 5.3: a client that now offers extended_master_secret gets a session that has it.
    (session.extendedMasterSecret || !extensions.extendedMasterSecret) &&
    // RFC 7366, 3.1: never from encrypt-then-MAC back to MAC-then-encrypt.
    (!session.encryptThenMac || extensions.encryptThenMac)
  );
}
