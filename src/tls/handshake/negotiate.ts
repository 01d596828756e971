/**
 * Chooses version, suite, certificate, group and signature scheme. Pure: depends only on the hello and the parameters.
 */
import { TlsError } from '../alert.js';
import type { CipherSuite } from '../cipher-suites.js';
import {
  isFiniteFieldGroup,
  NamedGroup,
  ProtocolVersion,
  SignatureScheme,
  TLS_FALLBACK_SCSV,
} from '../code-points.js';
import { defaultCredentials, namedCredentials } from '../credential.js';
import { ffdhe2048, type DhGroup } from '../crypto/dh-groups.js';
import type { EcdhGroup } from '../crypto/ecdh-groups.js';
import type { HelloExtensions } from '../hello/extensions.js';
import type { Offer } from '../hello/offer.js';
import type { Credential, CompleteParameters } from '../server-parameters.js';
import { compareSuites } from './preference.js';

export interface Negotiated {
  readonly version: ProtocolVersion;
  readonly suite: CipherSuite;
  readonly credential: Credential;
  readonly keyExchange: KeyExchange;
}

/** `signatureScheme` signs ServerKeyExchange in TLS 1.2; undefined for older versions, which have no choice. */
export type KeyExchange =
  | { readonly kind: 'rsa' }
  | {
      readonly kind: 'ecdhe';
      readonly group: EcdhGroup;
      readonly signatureScheme: SignatureScheme | undefined;
    }
  | { readonly kind: 'dhe'; readonly group: DhGroup; readonly signatureScheme: SignatureScheme | undefined };

/** Why a suite cannot be used. */
export type Obstacle = 'no_shared_cipher_suite' | 'no_shared_signature_algorithm' | 'no_shared_dh_group';

export type Negotiation = { readonly chosen: Negotiated } | { readonly obstacle: Obstacle };

/** @throws TlsError no_shared_version, inappropriate_fallback, no_null_compression */
export function negotiateVersion(
  { hello, extensions }: Offer,
  parameters: CompleteParameters,
): ProtocolVersion {
  const { clientVersion, cipherSuites, compressionMethods } = hello;
  if (cipherSuites.includes(TLS_FALLBACK_SCSV) && clientVersion < parameters.serviceMaxVersion) {
    // RFC 7507, 3. A TLS 1.3 client has TLS 1.2 in client_version and its real maximum in supported_versions.
    if (!extensions.supportedVersions?.includes(parameters.serviceMaxVersion)) {
      throw new TlsError('inappropriate_fallback');
    }
  }
  const offered = (version: ProtocolVersion): boolean =>
    // RFC 8446, 4.2.1: if supported_versions is present, client_version is ignored.
    extensions.supportedVersions?.includes(version) ?? version <= clientVersion;
  const version = VERSIONS.find(
    (candidate) =>
      candidate <= parameters.maxVersion && candidate >= parameters.minVersion && offered(candidate),
  );
  if (version === undefined) throw new TlsError('no_shared_version');
  if (!compressionMethods.includes(0)) throw new TlsError('no_null_compression');
  return version;
}

/** The best suite for this client, with certificate, group and signature scheme; or why there is none. */
export function negotiate(
  offer: Offer,
  version: ProtocolVersion,
  parameters: CompleteParameters,
): Negotiation {
  const offered = new Set(offer.hello.cipherSuites);
  const candidates = parameters.cipherSuites
    .filter((suite) => offered.has(suite.id) && suite.minVersion <= version && version <= suite.maxVersion)
    .sort(compareSuites(offer, version));
  const obstacles = new Set<Obstacle>();
  for (const credentials of credentialsInOrder(offer, version, parameters)) {
    for (const suite of candidates) {
      const result = trySuite(suite, offer, version, { ...parameters, credentials });
      if ('chosen' in result) return result;
      obstacles.add(result.obstacle);
    }
  }
  return { obstacle: OBSTACLES.find((obstacle) => obstacles.has(obstacle)) ?? 'no_shared_cipher_suite' };
}

/** The most specific first. RFC 7919, 4: if only the group is missing, the alert must show this. */
const OBSTACLES: readonly Obstacle[] = ['no_shared_dh_group', 'no_shared_signature_algorithm'];

/**
 * The requested name has priority over the suite, and the audience of a certificate (`use`) over the name. A name that
 * no certificate has is not an error (RFC 6066, 3). If nothing else is possible, the client gets any certificate.
 */
function credentialsInOrder(
  { hello, extensions: { serverName } }: Offer,
  version: ProtocolVersion,
  { credentials, defaultServerName }: CompleteParameters,
): readonly (readonly Credential[])[] {
  const legacy = version < ProtocolVersion['TLSv1.2'] || hello.extensions === undefined;
  const audience = legacy ? 'legacy' : 'modern';
  const preferred = (all: readonly Credential[]): readonly Credential[] => [
    ...all.filter((credential) => credential.audience === audience),
    ...all.filter((credential) => credential.audience === undefined),
  ];
  const named = serverName === undefined ? [] : namedCredentials(credentials, serverName);
  const standard = defaultCredentials(credentials, defaultServerName);
  const lists = [preferred(named), preferred(standard), named, standard, credentials];
  return lists.filter(({ length }) => length > 0);
}

function trySuite(
  suite: CipherSuite,
  { extensions }: Offer,
  version: ProtocolVersion,
  parameters: CompleteParameters,
): Negotiation {
  const credential = chooseCredential(suite, extensions, parameters.credentials);
  if (credential === undefined) return { obstacle: 'no_shared_cipher_suite' };
  if (suite.keyExchange === 'rsa')
    return { chosen: { version, suite, credential, keyExchange: { kind: 'rsa' } } };

  const signed = version === ProtocolVersion['TLSv1.2'];
  const signatureScheme = signed ? chooseSignatureScheme(credential, extensions, parameters) : undefined;
  const group = chooseGroup(suite.keyExchange, extensions, parameters);
  if (group === undefined) {
    return { obstacle: suite.keyExchange === 'dhe' ? 'no_shared_dh_group' : 'no_shared_cipher_suite' };
  }
  if (signed && signatureScheme === undefined) return { obstacle: 'no_shared_signature_algorithm' };
  return { chosen: { version, suite, credential, keyExchange: { ...group, signatureScheme } } };
}

type ChosenGroup = { kind: 'ecdhe'; group: EcdhGroup } | { kind: 'dhe'; group: DhGroup };

function chooseGroup(
  kind: 'ecdhe' | 'dhe',
  extensions: HelloExtensions,
  parameters: CompleteParameters,
): ChosenGroup | undefined {
  if (kind === 'ecdhe') {
    const group = chooseEcdhGroup(extensions, parameters);
    return group && { kind, group };
  }
  const group = chooseDhGroup(extensions, parameters);
  return group && { kind, group };
}

function chooseCredential(
  suite: CipherSuite,
  { supportedGroups }: HelloExtensions,
  credentials: readonly Credential[],
): Credential | undefined {
  return credentials.find(
    ({ authentication, curve }) =>
      authentication === suite.authentication &&
      // RFC 8422, 5.1: the curve of the certificate must be among the client's too.
      (curve === undefined || supportedGroups === undefined || supportedGroups.includes(NamedGroup[curve])),
  );
}

/** RFC 8422, 4: without supported_groups we choose the curve; all clients of that age support P-256. */
function chooseEcdhGroup(
  { supportedGroups }: HelloExtensions,
  { groups }: CompleteParameters,
): EcdhGroup | undefined {
  const usable = groups.filter(isEcdhGroup);
  if (supportedGroups === undefined) return usable.find((group) => group === NamedGroup.secp256r1);
  return usable.find((group) => supportedGroups.includes(group));
}

function isEcdhGroup(group: NamedGroup): group is EcdhGroup {
  return group !== NamedGroup.ffdhe2048;
}

/** RFC 7919, 4: a client that lists finite-field groups gets one of them or none. */
function chooseDhGroup(
  { supportedGroups, signatureAlgorithms }: HelloExtensions,
  { smallDhGroup }: CompleteParameters,
): DhGroup | undefined {
  if (supportedGroups?.some(isFiniteFieldGroup)) {
    return supportedGroups.includes(NamedGroup.ffdhe2048) ? ffdhe2048() : undefined;
  }
  return signatureAlgorithms === undefined ? (smallDhGroup ?? ffdhe2048()) : ffdhe2048();
}

function chooseSignatureScheme(
  { authentication, curve }: Credential,
  { signatureAlgorithms = SHA1_DEFAULTS }: HelloExtensions,
  { sha1Signatures }: CompleteParameters,
): SignatureScheme | undefined {
  const ours = authentication === 'rsa' ? RSA_SCHEMES : curve === 'secp384r1' ? P384_SCHEMES : P256_SCHEMES;
  return ours.find(
    (scheme) => signatureAlgorithms.includes(scheme) && (sha1Signatures || !SHA1_DEFAULTS.includes(scheme)),
  );
}

/** Newest first. */
const VERSIONS = [
  ProtocolVersion['TLSv1.2'],
  ProtocolVersion['TLSv1.1'],
  ProtocolVersion['TLSv1'],
  ProtocolVersion.SSLv3,
] as const;

/** RFC 5246, 7.4.1.4.1: the algorithms that a client without the extension accepts. */
const SHA1_DEFAULTS: readonly number[] = [SignatureScheme.rsa_pkcs1_sha1, SignatureScheme.ecdsa_sha1];

const { rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512, rsa_pkcs1_sha1 } = SignatureScheme;
const { ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, ecdsa_sha512, ecdsa_sha1 } = SignatureScheme;
const RSA_SCHEMES = [rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512, rsa_pkcs1_sha1];
const P256_SCHEMES = [ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, ecdsa_sha512, ecdsa_sha1];
const P384_SCHEMES = [ecdsa_secp384r1_sha384, ecdsa_secp256r1_sha256, ecdsa_sha512, ecdsa_sha1];
