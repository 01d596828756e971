/** Whether clients, and old ones above all, will be able to do something with the configured certificates. */
import type { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { CertificateConfig, Config } from '../config/schema.js';
import { CredentialError, loadCredential, type LoadedCredential } from '../credentials/credentials.js';
import { certificatesFromPem } from '../tls/index.js';
import type { Finding, Verdict } from './finding.js';

export function checkCertificates({ certificates, tls, server }: Config, now: Date): Finding[] {
  if (certificates.length === 0) {
    return [finding('certificates', 'warning', 'none is configured, so a self-signed one will be made', [])];
  }
  const findings: Finding[] = [];
  const usable: LoadedCredential[] = [];
  for (const [index, certificate] of certificates.entries()) {
    const subject = `certificate ${index + 1}`;
    try {
      const loaded = loadCredential(certificate);
      usable.push(loaded);
      findings.push(...checkOne(subject, certificate, loaded, server.hostname, now));
    } catch (error) {
      if (!(error instanceof CredentialError)) throw error;
      findings.push(finding(subject, 'bad', error.message));
    }
  }
  if (tls.profile !== 'intermediate' && !usable.some(isForOldClients)) {
    const advice = ['add a [[certificate]] with an RSA key and use = "all" or "legacy"'];
    findings.push(
      finding('certificates', 'bad', 'none has an RSA key, and most old clients know no other', advice),
    );
  }
  return findings;
}

function isForOldClients({ credential, use }: LoadedCredential): boolean {
  return credential.authentication === 'rsa' && use !== 'modern';
}

function checkOne(
  subject: string,
  config: CertificateConfig,
  { chainPem, facts }: LoadedCredential,
  hostname: string,
  now: Date,
): Finding[] {
  const [leaf] = certificatesFromPem(chainPem);
  const problems = [
    ...expiry(leaf!, now).map((one) => finding(subject, ...one)),
    ...order(config).map((message) => finding(subject, 'bad', message, [CHAIN_ADVICE])),
    ...exposure(config).map((file) => {
      return finding(subject, 'bad', `${file} can be read by everybody on this machine`, [
        `chmod o= ${file}`,
      ]);
    }),
    ...(leaf!.checkHost(hostname) === undefined
      ? [finding(subject, 'warning', `it is not for "${hostname}", the hostname in [server]`)]
      : []),
  ];
  if (problems.some(({ verdict }) => verdict === 'bad')) return problems;
  const what = `${facts.keyAlgorithm}, signed with ${facts.signatureAlgorithm}, valid until ${day(new Date(leaf!.validTo))}`;
  return [finding(subject, 'good', what), ...problems];
}

function expiry({ validFrom, validTo }: X509Certificate, now: Date): [Verdict, string][] {
  const [begin, end] = [new Date(validFrom), new Date(validTo)];
  if (end <= now) return [['bad', `it expired on ${day(end)}`]];
  if (begin > now) return [['bad', `it is not valid before ${day(begin)}`]];
  const days = Math.floor((end.getTime() - now.getTime()) / DAY);
  return days < EXPIRY_WARNING ? [['warning', `it expires in ${days} days`]] : [];
}

/** RFC 5246, 7.4.2: each certificate must certify the one before it, and old clients insist. */
function order({ chain }: CertificateConfig): string[] {
  if (chain === undefined) return [];
  const certificates = certificatesFromPem(readFileSync(chain, 'latin1'));
  const wrong = certificates.findIndex((one, index) => {
    const next = certificates[index + 1];
    return next !== undefined && !(one.checkIssued(next) && one.verify(next.publicKey));
  });
  return wrong < 0 ? [] : [`in ${chain}, certificate ${wrong + 2} did not sign certificate ${wrong + 1}`];
}

/** Files with a private key that anybody may read. */
function exposure({ key, pkcs12, passphraseFile }: CertificateConfig): string[] {
  const secret = [key, pkcs12, passphraseFile].filter((file) => file !== undefined);
  return secret.filter((file) => (statSync(file).mode & READABLE_BY_OTHERS) !== 0);
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function finding(
  subject: string,
  verdict: Verdict,
  message: string,
  advice: readonly string[] = [],
): Finding {
  return { check: 'certificate', subject, verdict, message, advice };
}

const CHAIN_ADVICE =
  'put the own certificate first, then the one that signed it, and so on, without the root';
const READABLE_BY_OTHERS = 0o004;
/** Milliseconds. */
const DAY = 24 * 60 * 60 * 1000;
/** Days: what renews by itself has been renewed by then. */
const EXPIRY_WARNING = 14;
