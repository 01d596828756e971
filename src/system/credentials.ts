/** Certificates and keys from disk, and a self-signed stand-in where none are configured. */
import {
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
  type X509Certificate,
} from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import forge from 'node-forge';
import type { CertificateConfig } from '../config/schema.js';
import { certificateFacts, type CertificateFacts } from './certificate-facts.js';
import { certificatesFromPem, credentialFrom, isKeyOf, type Credential } from '../tls/index.js';

export interface LoadedCredential {
  /** The file of the certificate. */
  readonly source: string;
  readonly credential: Credential;
  readonly key: KeyObject;
  /** What Node's own TLS takes. */
  readonly chainPem: string;
  readonly keyPem: string;
  readonly use: CertificateConfig['use'];
  readonly facts: CertificateFacts;
}

/** A certificate or key that cannot be used; the message names the file and what to do. */
export class CredentialError extends Error {
  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options);
    this.name = 'CredentialError';
  }
}

/** @throws CredentialError */
export function loadCredential(config: CertificateConfig): LoadedCredential {
  if (config.pkcs12 !== undefined) return loadPkcs12(config.pkcs12, config);
  const { chain, key, use } = config as { chain: string; key: string; use: CertificateConfig['use'] };
  return assemble(readText(chain), chain, readText(key), key, use);
}

/**
 * An RSA certificate for `hostname`, made once and kept in `directory` with mode 0600.
 * @throws CredentialError
 */
export function selfSignedCredential(directory: string, hostname: string): LoadedCredential {
  const chainFile = join(directory, 'self-signed.crt');
  const keyFile = join(directory, 'self-signed.key');
  try {
    return assemble(
      readFileSync(chainFile, 'latin1'),
      chainFile,
      readFileSync(keyFile, 'latin1'),
      keyFile,
      'all',
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const { chainPem, keyPem } = makeSelfSigned(hostname);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(keyFile, keyPem, { mode: 0o600 });
  writeFileSync(chainFile, chainPem, { mode: 0o600 });
  return assemble(chainPem, chainFile, keyPem, keyFile, 'all');
}

/** RSA-2048 and SHA-256: what the widest range of old clients can read. */
function makeSelfSigned(hostname: string): { chainPem: string; keyPem: string } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  // node-forge reads PKCS#1 only.
  const keyPem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const signingKey = forge.pki.privateKeyFromPem(keyPem);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(signingKey.n, signingKey.e);
  // A positive number whatever its first byte is (RFC 5280, 4.1.2.2).
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  certificate.validity.notBefore = new Date(Date.now() - CLOCK_SKEW);
  certificate.validity.notAfter = new Date(Date.now() + SELF_SIGNED_LIFETIME);
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

function loadPkcs12(file: string, config: CertificateConfig): LoadedCredential {
  const passphrase =
    config.passphraseFile === undefined ? '' : readText(config.passphraseFile).replace(/\r?\n$/, '');
  const { chainPem, keyPem } = openPkcs12(readFile(file), file, passphrase);
  return assemble(chainPem, file, keyPem, file, config.use);
}

function openPkcs12(bytes: Buffer, file: string, passphrase: string): { chainPem: string; keyPem: string } {
  try {
    const asn1 = forge.asn1.fromDer(bytes.toString('latin1'));
    const bags = forge.pkcs12.pkcs12FromAsn1(asn1, passphrase);
    const { certBag, pkcs8ShroudedKeyBag, keyBag } = forge.pki.oids as Record<string, string>;
    const certificates = (bags.getBags({ bagType: certBag! })[certBag!] ?? []).flatMap(
      ({ cert }) => cert ?? [],
    );
    const keys = [pkcs8ShroudedKeyBag!, keyBag!].flatMap(
      (bagType) => bags.getBags({ bagType })[bagType] ?? [],
    );
    const key = keys[0]?.key;
    if (key == null) throw new Error('it holds no RSA private key');
    return {
      chainPem: certificates.map((certificate) => forge.pki.certificateToPem(certificate)).join(''),
      keyPem: forge.pki.privateKeyToPem(key),
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CredentialError(file, `cannot be opened as PKCS#12: ${why}`, { cause });
  }
}

function assemble(
  chainPem: string,
  chainFile: string,
  keyPem: string,
  keyFile: string,
  use: CertificateConfig['use'],
): LoadedCredential {
  const key = orCredentialError(keyFile, 'holds no usable private key', () => createPrivateKey(keyPem));
  const certificates = orCredentialError(chainFile, 'holds an unreadable certificate', () => {
    return certificatesFromPem(chainPem);
  });
  const chain = leafFirst(certificates, key);
  if (certificates.length === 0) throw new CredentialError(chainFile, 'holds no PEM certificate');
  if (chain === undefined) {
    throw new CredentialError(
      keyFile,
      `is not the key of any certificate in ${chainFile}; give the matching pair`,
    );
  }
  const credential = orCredentialError(chainFile, 'cannot be used', () => credentialFrom(chain));
  const facts = certificateFacts(chain[0]!);
  return {
    source: chainFile,
    credential: use === 'all' ? credential : { ...credential, audience: use },
    key,
    chainPem: chain.map(String).join(''),
    keyPem,
    use,
    facts,
  };
}

/** PKCS#12 files keep no order, so the key decides which certificate is the server's own. */
function leafFirst(certificates: readonly X509Certificate[], key: KeyObject): X509Certificate[] | undefined {
  const leaf = certificates.find((certificate) => isKeyOf(key, certificate));
  return leaf && [leaf, ...certificates.filter((certificate) => certificate !== leaf)];
}

function readText(file: string): string {
  return readFile(file).toString('latin1');
}

function readFile(file: string): Buffer {
  return orCredentialError(file, 'cannot be read', () => readFileSync(file));
}

function orCredentialError<T>(file: string, problem: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new CredentialError(file, `${problem}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** GeneralName's choice dNSName (RFC 5280, 4.2.1.6). */
const DNS_NAME = 2;
/** Milliseconds: clients with a wrong clock are common among the old. */
const CLOCK_SKEW = 24 * 60 * 60 * 1000;
/** Milliseconds: ten years; nobody renews a certificate that stands in for one. */
const SELF_SIGNED_LIFETIME = 10 * 365 * 24 * 60 * 60 * 1000;
