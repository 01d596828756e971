/** Loads certificates and keys from disk, and makes a self-signed certificate if none is configured. */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { UnusableValueError, UnusableValuesError } from '../config/config-error.js';
import { endsTls } from '../config/passthrough.js';
import type { CertificateConfig, Config } from '../config/schema.js';
import { certificatesFromPem, credentialFrom, isKeyOf, type Credential } from '../tls/index.js';
import { certificateInfo, keyName, type CertificateInfo } from './certificate-info.js';
import { orderChain } from './chain.js';
import { CredentialError, orCredentialError, type CredentialFile } from './credential-error.js';
import { exposedOf, type ExposedFile } from './exposed-files.js';
import { readPassphrase, type Passphrase } from './passphrase.js';
import { readPemChain, readPemKey } from './pem.js';
import { readPkcs12 } from './pkcs12.js';
import { makeSelfSigned } from './self-signed.js';
import { refuseUncoveredNames } from './server-names.js';
import { demandsStaple } from './tls-feature.js';
import { writeWhole } from './whole-file.js';

export { CredentialError } from './credential-error.js';

export interface LoadedCredential {
  /** The file of the certificate. */
  readonly source: string;
  readonly credential: Credential;
  readonly key: KeyObject;
  /** In PEM for Node's own TLS; the key is decrypted. */
  readonly chainPem: string;
  readonly keyPem: string;
  readonly use: CertificateConfig['use'];
  readonly info: CertificateInfo;
  /** Why Node's own TLS rejects it, such as "ca md too weak"; then only the engine uses it. */
  readonly engineOnly: string | undefined;
  /** Defects of the chain that were repaired. */
  readonly repairs: readonly string[];
  /** Files with a secret that other users can read or change. */
  readonly exposed: readonly ExposedFile[];
}

/** @throws UnusableValueError for a configured certificate or its name, CredentialError for the self-signed one */
export function loadCredentials(config: Config): LoadedCredential[] {
  const loaded = configuredCredentials(config);
  refuseUncoveredNames(config, loaded);
  return loaded;
}

function configuredCredentials(config: Config): LoadedCredential[] {
  const { certificates, server } = config;
  if (certificates.length === 0) {
    return endsTls(config) ? [selfSignedCredential(server.stateDirectory, server.hostname)] : [];
  }
  const { loaded, errors } = tryCredentials(certificates);
  if (errors.length > 0) throw errors.length === 1 ? errors[0]! : new UnusableValuesError(errors);
  return loaded;
}

/** Loads what can be loaded, and returns the problems of the others. Incomplete entries are left out. */
export function tryCredentials(certificates: readonly CertificateConfig[]): {
  readonly loaded: LoadedCredential[];
  readonly errors: UnusableValueError[];
} {
  const loaded: LoadedCredential[] = [];
  const errors: UnusableValueError[] = [];
  for (const [index, certificate] of certificates.entries()) {
    const { pkcs12, chain, key } = certificate;
    if (pkcs12 === undefined && (chain === undefined || key === undefined)) continue;
    try {
      loaded.push(loadCredential(certificate));
    } catch (error) {
      if (!(error instanceof CredentialError)) throw error;
      errors.push(new UnusableValueError('certificate', index, error.key, error));
    }
  }
  return { loaded, errors };
}

/**
 * @param groups those that may read the files with secrets; absent: the groups of this process
 * @throws CredentialError
 */
export function loadCredential(
  { chain, key, pkcs12, passphraseFile, use }: CertificateConfig,
  groups?: readonly number[],
): LoadedCredential {
  const passphrase = passphraseFile === undefined ? undefined : readPassphrase(passphraseFile);
  if (pkcs12 !== undefined) return loadPkcs12({ key: 'pkcs12', path: pkcs12 }, passphrase, use, groups);
  // The check of the configuration ensures that both are set.
  return loadPem({ key: 'chain', path: chain! }, { key: 'key', path: key! }, passphrase, use, groups);
}

/**
 * An RSA certificate for `hostname`, made once and kept in `directory` with mode 0600.
 * @throws CredentialError
 */
export function selfSignedCredential(directory: string, hostname: string): LoadedCredential {
  const chain = { key: 'chain', path: join(directory, 'self-signed.crt') } as const;
  const key = { key: 'key', path: join(directory, 'self-signed.key') } as const;
  if (isEmpty(chain.path) || isEmpty(key.path)) {
    const { chainPem, keyPem } = makeSelfSigned(hostname);
    orCredentialError(chain, 'cannot be made', () => {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      // So that at no time there is a certificate beside the key of another one.
      rmSync(chain.path, { force: true });
      writeWhole(key.path, keyPem, 0o600);
      writeWhole(chain.path, chainPem, 0o600);
    });
  }
  return loadPem(chain, key, undefined, 'all');
}

/** Absent, or without content, as a full disk or a power failure leaves a file. */
function isEmpty(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

function loadPem(
  chainFile: CredentialFile,
  keyFile: CredentialFile,
  passphrase: Passphrase | undefined,
  use: CertificateConfig['use'],
  groups?: readonly number[],
): LoadedCredential {
  const key = readPemKey(keyFile, passphrase);
  const given = readPemChain(chainFile);
  const leaf = given.find((certificate) => isKeyOf(key, certificate));
  if (leaf === undefined) throw new CredentialError(keyFile, mismatch(key, given[0]!, chainFile.path));
  const { certificates, others } = orderChain(leaf, given);
  const inOrder = certificates.every((certificate, index) => certificate === given[index]);
  const repairs = [
    ...(inOrder ? [] : ['put in order, each certificate followed by its issuer']),
    ...others.map(({ subject }) => `left out ${oneLine(subject)}, which does not belong to the chain`),
  ];
  return {
    ...assemble(certificates, key, chainFile, use),
    repairs,
    exposed: exposedOf(pathsOf([keyFile, passphrase?.file]), groups),
  };
}

/** PKCS#12 has no order of certificates, and may hold more than the chain. */
function loadPkcs12(
  file: CredentialFile,
  passphrase: Passphrase | undefined,
  use: CertificateConfig['use'],
  groups?: readonly number[],
): LoadedCredential {
  const { certificates, keys } = readPkcs12(file, passphrase);
  for (const key of keys) {
    const leaf = certificates.find((certificate) => isKeyOf(key, certificate));
    if (leaf === undefined) continue;
    const chain = orderChain(leaf, certificates);
    const exposed = exposedOf(pathsOf([file, passphrase?.file]), groups);
    return { ...assemble(chain.certificates, key, file, use), repairs: [], exposed };
  }
  throw new CredentialError(
    file,
    'holds a private key, but no certificate for it; export both into one file',
  );
}

/** A credential in a form that can be sent to another process. */
export type PortableCredential = Omit<LoadedCredential, 'credential' | 'key'>;

export function portableCredential(loaded: LoadedCredential): PortableCredential {
  const { source, chainPem, keyPem, use, info, engineOnly, repairs, exposed } = loaded;
  return { source, chainPem, keyPem, use, info, engineOnly, repairs, exposed };
}

export function restoreCredential(portable: PortableCredential): LoadedCredential {
  const { chainPem, keyPem, use } = portable;
  const credential = credentialFrom(certificatesFromPem(chainPem));
  return {
    ...portable,
    credential: use === 'all' ? credential : { ...credential, audience: use },
    key: createPrivateKey(keyPem),
  };
}

function assemble(
  chain: readonly X509Certificate[],
  key: KeyObject,
  file: CredentialFile,
  use: CertificateConfig['use'],
): Omit<LoadedCredential, 'repairs' | 'exposed'> {
  const credential = orCredentialError(file, 'cannot be used', () => credentialFrom(chain));
  if (demandsStaple(chain[0]!)) throw new CredentialError(file, MUST_STAPLE);
  const chainPem = chain.map(String).join('');
  const keyPem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    source: file.path,
    credential: use === 'all' ? credential : { ...credential, audience: use },
    key,
    chainPem,
    keyPem,
    engineOnly: refusalOfNode(chainPem, keyPem),
    use,
    info: certificateInfo(chain[0]!),
  };
}

/** OpenSSL rejects what is too weak for its security level, such as a chain signed with SHA-1. */
function refusalOfNode(cert: string, key: string): string | undefined {
  try {
    createSecureContext({ cert, key });
    return undefined;
  } catch (error) {
    const { reason, message } = error as Error & { reason?: string };
    return reason ?? message;
  }
}

function mismatch(key: KeyObject, certificate: X509Certificate, chainFile: string): string {
  const [here, there] = [keyName(key), keyName(certificate.publicKey)];
  const kinds =
    here === there ? `both are ${here}, but do not belong together` : `${here} here, ${there} there`;
  return (
    `is not the key of any certificate in ${chainFile} (${oneLine(certificate.subject)}): ` +
    `${kinds}; give the matching pair`
  );
}

function pathsOf(files: readonly (CredentialFile | undefined)[]): string[] {
  return files.flatMap((file) => (file === undefined ? [] : [file.path]));
}

function oneLine(name: string): string {
  return name.replaceAll('\n', ', ');
}

const MUST_STAPLE =
  'has the TLS feature extension of RFC 7633 (must-staple): clients that look at it expect an OCSP response in every ' +
  'handshake, which oldhello never sends, and would break off; get one without it (certbot: leave out --must-staple)';
