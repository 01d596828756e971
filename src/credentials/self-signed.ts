/** A certificate of our own making, where none is configured. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import forge from 'node-forge';

/** RSA-2048 and SHA-256: what the widest range of old clients can read. */
export function makeSelfSigned(hostname: string): { chainPem: string; keyPem: string } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  // node-forge reads PKCS#1 only.
  const keyPem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const signingKey = forge.pki.privateKeyFromPem(keyPem);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(signingKey.n, signingKey.e);
  // A positive number whatever its first byte is (RFC 5280, 4.1.2.2).
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  certificate.validity.notBefore = new Date(Date.now() - CLOCK_SKEW);
  certificate.validity.notAfter = new Date(Date.now() + LIFETIME);
  const name = [{ name: 'commonName', value: hostname }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: [{ type: DNS_NAME, value: hostname }] },
  ]);
  certificate.sign(signingKey, forge.md.sha256.create());
  return { chainPem: forge.pki.certificateToPem(certificate), keyPem };
}

/** GeneralName's choice dNSName (RFC 5280, 4.2.1.6). */
const DNS_NAME = 2;
/** Milliseconds: clients with a wrong clock are common among the old. */
const CLOCK_SKEW = 24 * 60 * 60 * 1000;
/** Milliseconds: ten years; nobody renews a certificate that stands in for one. */
const LIFETIME = 10 * 365 * 24 * 60 * 60 * 1000;
