/** What the engine needs to know of a certificate chain, read from the certificate itself. */
import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { NamedGroupName } from './code-points.js';
import type { Credential } from './server-parameters.js';

/**
 * @param chain the server's certificate first; PEM text with one or more certificates, or DER
 * @throws Error for a key that no suite of this engine can use
 */
export function credentialFrom(chain: readonly X509Certificate[]): Credential {
  const [leaf] = chain;
  if (leaf === undefined) throw new Error('the certificate chain is empty');
  const shared = { chain: chain.map((certificate) => certificate.raw), serverNames: serverNames(leaf) };
  const { publicKey } = leaf;
  if (publicKey.asymmetricKeyType === 'rsa') {
    return { ...shared, authentication: 'rsa', modulusLength: modulusLength(publicKey), curve: undefined };
  }
  const curve = CURVES.get(publicKey.asymmetricKeyDetails?.namedCurve ?? '');
  if (publicKey.asymmetricKeyType !== 'ec' || curve === undefined) {
    throw new Error(`the certificate's key is neither RSA nor ECDSA on P-256 or P-384`);
  }
  return { ...shared, authentication: 'ecdsa', modulusLength: 0, curve };
}

/** Whether `key` is the private half of the leaf's public key. */
export function isKeyOf(key: KeyObject, leaf: X509Certificate): boolean {
  return createPublicKey(key)
    .export({ type: 'spki', format: 'der' })
    .equals(leaf.publicKey.export({ type: 'spki', format: 'der' }));
}

/** @param serverName lower case, as HelloExtensions has it */
export function isNamed(credential: Credential, serverName: string): boolean {
  return namedCredentials([credential], serverName).length > 0;
}

/**
 * Those for a name, or if there are none, those for a wildcard that covers it. RFC 6125, 6.4.3: a wildcard stands for the
 * whole left-most label only. A dot at the end is no part of the name (RFC 6066, 3).
 * @param serverName lower case, as HelloExtensions has it
 */
export function namedCredentials<C extends Pick<Credential, 'serverNames'>>(
  credentials: readonly C[],
  serverName: string,
): readonly C[] {
  const name = serverName.endsWith('.') ? serverName.slice(0, -1) : serverName;
  const exact = credentials.filter(({ serverNames }) => serverNames.includes(name));
  const dot = name.indexOf('.');
  if (exact.length > 0 || dot <= 0) return exact;
  const wildcard = `*${name.slice(dot)}`;
  return credentials.filter(({ serverNames }) => serverNames.includes(wildcard));
}

/**
 * Those for clients that ask for no name, or for one that no certificate has. For each audience that certificates are
 * meant for: those with the default name, or if none has it, those that share the first name of its first. Modern clients
 * verify the name, so they get no other one where a certificate for all has the default name.
 * @param serverName the default one; undefined for the first name of the first
 */
export function defaultCredentials(
  credentials: readonly Credential[],
  serverName: string | undefined = credentials[0]?.serverNames[0],
): readonly Credential[] {
  const meantFor = (audience: Credential['audience']): readonly Credential[] =>
    credentials.filter((credential) => credential.audience === audience);
  const isNamedForAll = withName(meantFor(undefined), serverName).length > 0;
  return AUDIENCES.flatMap((audience) => {
    const candidates = meantFor(audience);
    const named = withName(candidates, serverName);
    if (named.length > 0) return named;
    if (audience === 'modern' && isNamedForAll) return [];
    const others = withName(candidates, candidates[0]?.serverNames[0]);
    return others.length > 0 ? others : candidates;
  });
}

function withName(credentials: readonly Credential[], name: string | undefined): readonly Credential[] {
  return name === undefined ? [] : namedCredentials(credentials, name);
}

/** The certificates of a PEM text, in its order. */
export function certificatesFromPem(pem: string): X509Certificate[] {
  return (pem.match(PEM_CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
}

function modulusLength(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}

function serverNames({ subjectAltName, subject }: X509Certificate): string[] {
  const dns = (subjectAltName ?? '').matchAll(/DNS:([^,\s]+)/g);
  const names = [...dns].map(([, name]) => name!.toLowerCase());
  const commonName = /^CN=(.+)$/m.exec(subject)?.[1];
  return names.length === 0 && commonName !== undefined ? [commonName.toLowerCase()] : names;
}

const AUDIENCES = [undefined, 'legacy', 'modern'] as const;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** node:crypto's curve names. */
const CURVES = new Map<string, NamedGroupName>([
  ['prime256v1', 'secp256r1'],
  ['secp384r1', 'secp384r1'],
]);
