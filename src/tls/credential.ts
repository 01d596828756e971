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

/** RFC 6125, 6.4.3: a wildcard stands for the whole left-most label only. */
export function isNamed({ serverNames }: Credential, serverName: string): boolean {
  const dot = serverName.indexOf('.');
  return serverNames.includes(serverName) || (dot > 0 && serverNames.includes(`*${serverName.slice(dot)}`));
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

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** node:crypto's curve names. */
const CURVES = new Map<string, NamedGroupName>([
  ['prime256v1', 'secp256r1'],
  ['secp384r1', 'secp384r1'],
]);
