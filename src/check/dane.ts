/** The TLSA records with which senders with DANE (RFC 7672) verify this server, also with several keys. */
import { createHash, type X509Certificate } from 'node:crypto';
import type { Config } from '../config/schema.js';
import type { LoadedCredential } from '../credentials/credentials.js';
import { SUBMISSION_PORT } from '../net/endpoint.js';
import { certificatesFromPem } from '../tls/index.js';
import type { Finding } from './finding.js';

/** A certificate that a sender may get. */
interface Shown {
  readonly subject: string;
  readonly key: string;
  readonly digest: string;
}

/** One finding for each certificate; none if no listener is for other mail servers. */
export function daneFindings(
  { listeners, server: { hostname } }: Config,
  loaded: readonly (LoadedCredential & { readonly index: number })[],
): Finding[] {
  if (!isPublic(hostname) || !listeners.some(({ mode, address }) => isForServers(mode, address.port)))
    return [];
  const shown = loaded.map(({ index, chainPem }): Shown => {
    return {
      subject: `certificate ${index + 1}`,
      key: `certificate[${index}].chain`,
      digest: keyDigest(certificatesFromPem(chainPem)[0]!),
    };
  });
  const keys = new Set(shown.map(({ digest }) => digest));
  return shown.map(({ subject, key, digest }, index) => {
    const advice = index === shown.length - 1 && keys.size > 1 ? [ALL_OF_THEM] : [];
    return { check: 'dane', subject, verdict: 'good', message: tlsaRecord(hostname, digest), advice, key };
  });
}

/** For the certificate of a backend whose own TLS modern clients get. */
export function bridgedDaneFindings(
  subject: string,
  hostname: string,
  certificate: X509Certificate,
): Finding[] {
  if (!isPublic(hostname)) return [];
  const message = tlsaRecord(hostname, keyDigest(certificate));
  return [{ check: 'dane', subject, verdict: 'good', message, advice: [BRIDGED], key: 'tls' }];
}

/** "3 1 1": the key of the server's own certificate, by its SHA-256, which RFC 7672, 3.1 recommends. */
function tlsaRecord(hostname: string, digest: string): string {
  return `_25._tcp.${hostname}. IN TLSA 3 1 1 ${digest}`;
}

/** SHA-256 of the SubjectPublicKeyInfo, in hex (RFC 6698, 2.1.2). */
function keyDigest({ publicKey }: X509Certificate): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

function isPublic(hostname: string): boolean {
  return hostname.includes('.');
}

/** Other mail servers connect only to port 25; behind a load balancer, a listener may have another port. */
function isForServers(mode: string, port: number): boolean {
  return mode === 'starttls' && port !== SUBMISSION_PORT;
}

const ALL_OF_THEM =
  'with DANE, publish the records of all certificates, because the certificate that a sender gets depends on its hello';
const BRIDGED = 'with DANE, publish it too: modern senders get this certificate, old ones those of oldhello';
