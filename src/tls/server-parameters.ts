/** What the caller decides about a connection before its first byte, and what it must do for the engine meanwhile. */
import type { CipherSuite } from './cipher-suites.js';
import type { NamedGroup, NamedGroupName, ProtocolVersion } from './code-points.js';
import type { DhGroup } from './crypto/dh-groups.js';
import { newEcdhShare, type EcdhGroup, type EcdhShare } from './crypto/ecdh-groups.js';
import type { Session } from './session/session.js';

/** A certificate chain and what its key can do. The private key itself stays with the caller. */
export interface Credential {
  /** DER, the server's own certificate first. */
  readonly chain: readonly Buffer[];
  readonly authentication: 'rsa' | 'ecdsa';
  /** Bytes of the RSA modulus; 0 for ECDSA. */
  readonly modulusLength: number;
  /** The curve of an ECDSA key; undefined for RSA. */
  readonly curve: NamedGroupName | undefined;
  /** Lower-case DNS names, `*.` wildcards included, for the choice by server_name. */
  readonly serverNames: readonly string[];
  /**
   * Whom it is meant for, where there is another one for the others: `legacy` hellos have no extensions or end below
   * TLS 1.2, `modern` ones are the rest. Who would have nothing else is shown it all the same.
   */
  readonly audience?: 'legacy' | 'modern';
}

/** Opaque, authenticated and encrypted session state in the client's hands (RFC 5077). */
export interface TicketProtector {
  /** Undefined where no ticket can be made now: the client gets an empty one (RFC 5077, 3.3). */
  protect(session: Session): Buffer | undefined;
  /** Undefined where the ticket is not ours, damaged, or too old. */
  unprotect(ticket: Buffer): Session | undefined;
  /** Seconds. */
  readonly lifetimeHint: number;
}

/** A preset, `credentials` and `random` are enough; the rest has defaults. */
export interface ServerParameters {
  readonly minVersion: ProtocolVersion;
  readonly maxVersion: ProtocolVersion;
  /** Everything that may be negotiated; the order of preference is the engine's. */
  readonly cipherSuites: readonly CipherSuite[];
  /** Elliptic curves in order of preference. */
  readonly groups: readonly NamedGroup[];
  /** At least one. Clients get those with the name that they ask for, else those with the default name, in this order. */
  readonly credentials: readonly Credential[];
  /** The name of clients that ask for none, or for one that no certificate has; else the first name of the first. */
  readonly defaultServerName?: string | undefined;
  /** Sign with SHA-1 at TLS 1.2 for clients that take nothing better, in spite of RFC 9155; older versions know no other. */
  readonly sha1Signatures: boolean;
  /** Accept an SSLv2-format ClientHello. */
  readonly sslv2Hello: boolean;
  /** The newest version the service on this address offers, TLS 1.3 elsewhere in the host included; else maxVersion. */
  readonly serviceMaxVersion?: number | undefined;
  /**
   * Bear with clients that omit the length of an RSA ClientKeyExchange at TLS 1.0 and later, or that write the
   * negotiated version into the premaster secret (OpenSSL's TLS_ROLLBACK_BUG).
   */
  readonly tolerateKeyExchangeBugs: boolean;
  /** Accept records of up to 2^15 bytes, as old Microsoft stacks send them. */
  readonly largeRecords: boolean;
  /** A group of 1024 bits for clients that fail with a longer one without an alert (Java 6 and 7). */
  readonly smallDhGroup?: DhGroup | undefined;
  /** Split application data but the first 1/n-1 in CBC suites of SSLv3 and TLS 1.0, against BEAST. */
  readonly recordSplitting: boolean;
  /** Bytes of records each way after which a connection with a 64-bit block cipher is closed, against SWEET32. */
  readonly smallBlockLimit: number;
  /** Give out session ids, and ask the host for sessions by id; true where it is not set. */
  readonly sessionIds?: boolean | undefined;
  readonly tickets?: TicketProtector | undefined;
  /** Sessions resume only within the same context: same policy, same certificates. Empty where it is not set. */
  readonly sessionContext?: string | undefined;
  /** A key pair that no other handshake gets, for a host that makes them ahead; made on the spot where it is not set. */
  readonly ecdhShare?: ((group: EcdhGroup) => EcdhShare) | undefined;
  /** Cryptographically secure bytes; a parameter so that a test can replay a handshake. */
  readonly random: (length: number) => Buffer;
}

/** With every default filled in. */
export interface CompleteParameters extends ServerParameters {
  readonly serviceMaxVersion: number;
  readonly sessionIds: boolean;
  readonly sessionContext: string;
  readonly ecdhShare: (group: EcdhGroup) => EcdhShare;
}

export function withDefaults(parameters: ServerParameters): CompleteParameters {
  const { serviceMaxVersion = parameters.maxVersion, sessionIds = true, sessionContext = '' } = parameters;
  const { ecdhShare = newEcdhShare } = parameters;
  return { ...parameters, serviceMaxVersion, sessionIds, sessionContext, ecdhShare };
}

export interface SignOperation {
  readonly kind: 'sign';
  readonly credential: Credential;
  /** node:crypto's name; md5-sha1 is the DigestInfo-less one of TLS 1.1 and older. */
  readonly hash: 'md5-sha1' | 'sha1' | 'sha256' | 'sha384' | 'sha512';
  readonly data: Buffer;
}

export interface DecryptOperation {
  readonly kind: 'decrypt';
  readonly credential: Credential;
  /** To be decrypted with no padding: the result has the modulus' length, and unpadding is the engine's. */
  readonly ciphertext: Buffer;
}

/** Where nothing is found, or looking takes too long, the answer is `undefined` and the handshake a full one. */
export interface FindSessionOperation {
  readonly kind: 'find_session';
  readonly sessionId: Buffer;
}

export type PrivateKeyOperation = SignOperation | DecryptOperation;
export type Operation = PrivateKeyOperation | FindSessionOperation;
/** A signature or a decrypted block; a session or its absence; or why the host could not do it. */
export type OperationResult = Buffer | Session | undefined | Error;
