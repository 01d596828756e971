/**
 * PKCS#12 files (RFC 7292): node-forge opens the container, with the old encryptions and with PBES2. node:crypto reads
 * the content, because node-forge supports RSA only.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import forge from 'node-forge';
import {
  CredentialError,
  orCredentialError,
  readCredentialFile,
  type CredentialFile,
} from './credential-error.js';
import type { Passphrase } from './passphrase.js';

export interface Pkcs12 {
  /** In any order. */
  readonly certificates: readonly X509Certificate[];
  readonly keys: readonly KeyObject[];
}

/**
 * @param passphrase undefined for an empty one
 * @throws CredentialError
 */
export function readPkcs12(file: CredentialFile, passphrase: Passphrase | undefined): Pkcs12 {
  const bytes = readCredentialFile(file);
  if (passphrase !== undefined && /[^\x20-\x7e]/.test(passphrase.text)) {
    const problem =
      'is not plain ASCII; programs encode such passphrases in different ways in PKCS#12, so choose another one';
    throw new CredentialError(passphrase.file, problem);
  }
  const opened =
    passphrase === undefined
      ? 'cannot be opened as PKCS#12 without a passphrase; set passphrase-file'
      : `cannot be opened as PKCS#12 with the passphrase in ${passphrase.file.path}`;
  const { certificates, keys } = orCredentialError(file, opened, () => open(bytes, passphrase?.text ?? ''));
  if (keys.length === 0) throw new CredentialError(file, 'holds no private key');
  if (certificates.length === 0) throw new CredentialError(file, 'holds no certificate');
  return { certificates, keys };
}

function open(bytes: Buffer, passphrase: string): Pkcs12 {
  const asn1 = forge.asn1.fromDer(bytes.toString('latin1'));
  const { safeContents } = forge.pkcs12.pkcs12FromAsn1(asn1, passphrase);
  const bags = safeContents.flatMap(({ safeBags }) => safeBags);
  const { certBag, pkcs8ShroudedKeyBag, keyBag } = forge.pki.oids as Record<string, string>;
  return {
    certificates: bags.filter(({ type }) => type === certBag).map(certificateOf),
    keys: bags.filter(({ type }) => type === pkcs8ShroudedKeyBag || type === keyBag).map(keyOf),
  };
}

type Bag = ReturnType<typeof forge.pkcs12.pkcs12FromAsn1>['safeContents'][number]['safeBags'][number];

/** If node-forge does not support the certificate, the bag has its ASN.1. */
function certificateOf({ cert, asn1 }: Bag): X509Certificate {
  return new X509Certificate(derOf(cert == null ? asn1 : forge.pki.certificateToAsn1(cert)));
}

function keyOf({ key, asn1 }: Bag): KeyObject {
  if (key == null) return createPrivateKey({ key: derOf(asn1), format: 'der', type: 'pkcs8' });
  return createPrivateKey({ key: derOf(forge.pki.privateKeyToAsn1(key)), format: 'der', type: 'pkcs1' });
}

function derOf(asn1: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
}
