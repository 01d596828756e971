/** Certificate chains and private keys from PEM files. */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { certificatesFromPem } from '../tls/index.js';
import {
  CredentialError,
  orCredentialError,
  readCredentialFile,
  type CredentialFile,
} from './credential-error.js';
import type { Passphrase } from './passphrase.js';

/** @throws CredentialError */
export function readPemChain(file: CredentialFile): X509Certificate[] {
  const bytes = readCredentialFile(file);
  const certificates = orCredentialError(file, 'holds an unreadable certificate', () =>
    certificatesFromPem(bytes.toString('latin1')),
  );
  if (certificates.length === 0) throw new CredentialError(file, noCertificate(bytes, file.path));
  return certificates;
}

/**
 * @param passphrase undefined where none is configured
 * @throws CredentialError
 */
export function readPemKey(file: CredentialFile, passphrase: Passphrase | undefined): KeyObject {
  const key = readCredentialFile(file);
  // PKCS#8 has the word in the header, the older forms in Proc-Type (RFC 1421, 4.6.1.1).
  const encrypted = key.includes('ENCRYPTED');
  if (encrypted && passphrase === undefined) {
    throw new CredentialError(file, 'is encrypted; set passphrase-file');
  }
  const problem = encrypted
    ? `cannot be decrypted with the passphrase in ${passphrase!.file.path}`
    : 'holds no usable private key';
  return orCredentialError(file, problem, () =>
    createPrivateKey({ key, ...(passphrase && { passphrase: passphrase.text }) }),
  );
}

/** Recognizes common mistakes. */
function noCertificate(bytes: Buffer, path: string): string {
  if (isPkcs12(bytes)) {
    return `is a PKCS#12 file, not PEM; in the configuration: pkcs12 = "${path}", without chain and key`;
  }
  if (bytes[0] === DER_SEQUENCE) {
    return `holds no PEM certificate, but probably DER; convert it: openssl x509 -inform der -in ${path}`;
  }
  return bytes.includes('PRIVATE KEY-----')
    ? 'holds no PEM certificate, but a private key; are chain and key mixed up?'
    : 'holds no PEM certificate';
}

/** RFC 7292, 4: a sequence whose first element is version 3. */
function isPkcs12(bytes: Buffer): boolean {
  if (bytes[0] !== DER_SEQUENCE) return false;
  const lengthOctets = (bytes[1] ?? 0) > 0x80 ? (bytes[1] ?? 0) & 0x7f : 0;
  const at = 2 + lengthOctets;
  return bytes.subarray(at, at + 3).equals(VERSION_3);
}

const VERSION_3 = Buffer.from([2, 1, 3]);
/** The first byte of every certificate in DER. */
const DER_SEQUENCE = 0x30;
