/** Makes certificates: self-signed ones, and those of a private authority, signed with SHA-256 or for old clients with SHA-1. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';

/** OpenSSL before 0.9.8o, Windows XP before service pack 3 and Java before 1.4.2 do not support SHA-256. */
export type Digest = 'sha1' | 'sha256';

export interface MadeCertificate {
  readonly pem: string;
  readonly keyPem: string;
}

export interface CertificateRequest {
  /** Host names and IP addresses; the first is also the common name, for clients that read only that. */
  readonly names: readonly [string, ...string[]];
  readonly days: number;
  readonly digest: Digest;
}

/** RSA-2048, which most old clients support; in PKCS#1, because node-forge reads no other format. */
export function makeRsaKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

export function selfSigned(keyPem: string, request: CertificateRequest): MadeCertificate {
  return { pem: signed(keyPem, request, SERVER, { name: request.names[0], keyPem }), keyPem };
}

/** With the same key and name but another digest, it is the same authority. */
export function authority(name: string, keyPem: string, days: number, digest: Digest): MadeCertificate {
  return { pem: signed(keyPem, { names: [name], days, digest }, AUTHORITY, { name, keyPem }), keyPem };
}

export function issued(keyPem: string, request: CertificateRequest, issuer: Issuer): MadeCertificate {
  return { pem: signed(keyPem, request, SERVER, issuer), keyPem };
}

export interface Issuer {
  readonly name: string;
  readonly keyPem: string;
}

/** What a certificate is for. */
type Role = (names: readonly string[]) => object[];

function signed(
  keyPem: string,
  { names, days, digest }: CertificateRequest,
  role: Role,
  issuer: Issuer,
): string {
  const { n, e } = forge.pki.privateKeyFromPem(keyPem);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(n, e);
  // The byte 01 makes the number positive (RFC 5280, 4.1.2.2).
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  certificate.validity.notBefore = new Date(Date.now() - CLOCK_SKEW_MS);
  certificate.validity.notAfter = new Date(Date.now() + days * DAY_MS);
  certificate.setSubject([{ name: 'commonName', value: names[0] }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer.name }]);
  certificate.setExtensions(role(names));
  certificate.sign(forge.pki.privateKeyFromPem(issuer.keyPem), forge.md[digest].create());
  return forge.pki.certificateToPem(certificate);
}

const SERVER: Role = (names) => [
  { name: 'basicConstraints', cA: false },
  { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
  { name: 'extKeyUsage', serverAuth: true },
  { name: 'subjectAltName', altNames: names.map(generalName) },
];
const AUTHORITY: Role = () => [
  { name: 'basicConstraints', cA: true, critical: true },
  { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
];

/** RFC 5280, 4.2.1.6: iPAddress or dNSName. */
function generalName(name: string): object {
  return isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name };
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Many old clients have a wrong clock. */
const CLOCK_SKEW_MS = DAY_MS;
