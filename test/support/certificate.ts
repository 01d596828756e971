/** Self-signed RSA certificates with the dates a test wants. */
import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';

export interface MadeCertificate {
  readonly chainPem: string;
  readonly keyPem: string;
}

/**
 * @param days from now, when it begins and ceases to be valid
 * @param extensions as node-forge takes them
 */
export function makeCertificate(
  name: string,
  [from, to]: readonly [number, number],
  extensions: readonly object[] = [],
): MadeCertificate {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyPem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const signer = forge.pki.privateKeyFromPem(keyPem);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(signer.n, signer.e);
  certificate.serialNumber = '01';
  certificate.validity.notBefore = inDays(from);
  certificate.validity.notAfter = inDays(to);
  certificate.setSubject([{ name: 'commonName', value: name }]);
  certificate.setIssuer([{ name: 'commonName', value: name }]);
  certificate.setExtensions([...extensions]);
  certificate.sign(signer, forge.md.sha256.create());
  return { chainPem: forge.pki.certificateToPem(certificate), keyPem };
}

function inDays(days: number): Date {
  return new Date(Date.now() + days * 86_400_000);
}
