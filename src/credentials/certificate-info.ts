/** Describes a certificate for the backend, in HAProxy's terms, and for the log. */
import type { KeyObject, X509Certificate } from 'node:crypto';
import forge from 'node-forge';

export interface CertificateInfo {
  /** OpenSSL's name, such as "RSA-SHA256" or "ecdsa-with-SHA384"; the OID of an unknown algorithm. */
  readonly signatureAlgorithm: string;
  /** Such as "RSA2048" or "EC256". */
  readonly keyAlgorithm: string;
  /** Distinguished names, as in RFC 4514 but in the order of the certificate. */
  readonly subject: string;
  readonly issuer: string;
  /** RFC 3339, in UTC. */
  readonly notBefore: string;
  readonly notAfter: string;
}

export function certificateInfo(certificate: X509Certificate): CertificateInfo {
  const { raw, publicKey } = certificate;
  return {
    signatureAlgorithm: signatureAlgorithm(raw),
    keyAlgorithm: keyName(publicKey),
    subject: certificate.subject.replaceAll('\n', ', '),
    issuer: certificate.issuer.replaceAll('\n', ', '),
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
  };
}

/** Such as "RSA2048" or "EC256"; also for a private key. */
export function keyName({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'rsa') return `RSA${modulusLength ?? ''}`;
  if (asymmetricKeyType === 'ec') return `EC${CURVE_BITS.get(namedCurve ?? '') ?? ''}`;
  return asymmetricKeyType ?? 'unknown';
}

/** RFC 5280, 4.1: Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }. */
function signatureAlgorithm(der: Buffer): string {
  const certificate = forge.asn1.fromDer(der.toString('latin1')).value as forge.asn1.Asn1[];
  const [oid] = certificate[1]!.value as forge.asn1.Asn1[];
  const dotted = forge.asn1.derToOid(oid!.value as string);
  return SIGNATURE_NAMES.get(dotted) ?? dotted;
}

/** RFC 3279, 2.2; RFC 4055, 5; RFC 5758, 3.2. */
const SIGNATURE_NAMES = new Map([
  ['1.2.840.113549.1.1.4', 'RSA-MD5'],
  ['1.2.840.113549.1.1.5', 'RSA-SHA1'],
  ['1.2.840.113549.1.1.11', 'RSA-SHA256'],
  ['1.2.840.113549.1.1.12', 'RSA-SHA384'],
  ['1.2.840.113549.1.1.13', 'RSA-SHA512'],
  ['1.2.840.113549.1.1.10', 'RSASSA-PSS'],
  ['1.2.840.10045.4.1', 'ecdsa-with-SHA1'],
  ['1.2.840.10045.4.3.2', 'ecdsa-with-SHA256'],
  ['1.2.840.10045.4.3.3', 'ecdsa-with-SHA384'],
  ['1.2.840.10045.4.3.4', 'ecdsa-with-SHA512'],
]);

/** node:crypto's curve names. */
const CURVE_BITS = new Map([
  ['prime256v1', 256],
  ['secp384r1', 384],
]);
