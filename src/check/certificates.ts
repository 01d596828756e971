/** Checks that clients, old ones in particular, can use the configured certificates. */
import type { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { endsTls } from '../config/passthrough.js';
import type { CertificateConfig, Config } from '../config/schema.js';
import { CredentialError, loadCredential, type LoadedCredential } from '../credentials/credentials.js';
import { daysUntil } from '../observe/certificate-expiry.js';
import { certificatesFromPem } from '../tls/index.js';
import { daneFindings } from './dane.js';
import { certificateFinding, day, type Finding, type Verdict } from './finding.js';

/** @param groups the groups of the service, which may allow it to read keys */
export function checkCertificates(config: Config, now: Date, groups?: readonly number[]): Finding[] {
  if (!endsTls(config)) return [];
  const { certificates, tls } = config;
  if (certificates.length === 0) {
    return [
      certificateFinding(
        'certificates',
        'warning',
        'none is configured, so oldhello will make a self-signed one',
      ),
    ];
  }
  const findings: Finding[] = [];
  const usable: (LoadedCredential & { readonly index: number })[] = [];
  for (const [index, certificate] of certificates.entries()) {
    const subject = `certificate ${index + 1}`;
    const table = `certificate[${index}]`;
    try {
      const loaded = loadCredential(certificate, groups);
      usable.push({ ...loaded, index });
      const found = checkOne(subject, certificate, loaded, now);
      findings.push(
        ...found.map((one) => ({ ...one, key: `${table}.${certificate.pkcs12 ? 'pkcs12' : 'chain'}` })),
      );
    } catch (error) {
      if (!(error instanceof CredentialError)) throw error;
      findings.push({ ...certificateFinding(subject, 'bad', error.message), key: `${table}.${error.key}` });
    }
  }
  // A certificate that could not be loaded may be the RSA one.
  const isComplete = usable.length === certificates.length;
  if (isComplete && tls.profile !== 'intermediate' && !usable.some(isForOldClients)) {
    const advice = ['add a [[certificate]] with an RSA key and use = "all" or "legacy"'];
    findings.push(
      certificateFinding(
        'certificates',
        'bad',
        'none has an RSA key, and most old clients support no other',
        advice,
      ),
    );
  }
  return [...findings, ...daneFindings(config, usable)];
}

function isForOldClients({ credential, use }: LoadedCredential): boolean {
  return credential.authentication === 'rsa' && use !== 'modern';
}

function checkOne(
  subject: string,
  config: CertificateConfig,
  { chainPem, info, source, exposed, engineOnly, use }: LoadedCredential,
  now: Date,
): Finding[] {
  const chain = certificatesFromPem(chainPem);
  const leaf = chain[0]!;
  const problems = [
    ...expiry(leaf, source, now).map((one) => certificateFinding(subject, ...one)),
    ...order(config).map((message) => certificateFinding(subject, 'bad', message, [CHAIN_ADVICE])),
    ...exposed.map(({ file, mode, remedy }) =>
      certificateFinding(subject, 'bad', `other users than the service can read ${file} (mode ${mode})`, [
        remedy,
      ]),
    ),
    ...(engineOnly !== undefined && use !== 'legacy'
      ? [
          certificateFinding(subject, 'warning', `${source}: ${ENGINE_ONLY} (${engineOnly})`, [
            ENGINE_ONLY_ADVICE,
          ]),
        ]
      : []),
    ...(isAlone(chain)
      ? [
          certificateFinding(subject, 'warning', `${source}: ${ALONE}`, [
            `add the certificate of ${oneLine(leaf.issuer)}`,
          ]),
        ]
      : []),
  ];
  if (problems.some(({ verdict }) => verdict === 'bad')) return problems;
  const what = `${info.keyAlgorithm}, signed with ${info.signatureAlgorithm}, valid until ${day(new Date(leaf.validTo))}`;
  return [certificateFinding(subject, 'good', what), ...problems];
}

/** Whether the chain has one certificate, which is not self-signed. */
function isAlone(chain: readonly X509Certificate[]): boolean {
  return chain.length === 1 && !chain[0]!.checkIssued(chain[0]!);
}

function expiry(
  { validFrom, validTo }: X509Certificate,
  source: string,
  now: Date,
): [Verdict, string, readonly string[]][] {
  const [begin, end] = [new Date(validFrom), new Date(validTo)];
  if (end <= now) return [['bad', `${source}: it expired on ${day(end)}`, [RENEW]]];
  if (begin > now) {
    return [
      [
        'bad',
        `${source}: it is not valid before ${day(begin)}`,
        [`check the clock of this machine: its date is ${day(now)}`],
      ],
    ];
  }
  const days = daysUntil(validTo, now.getTime());
  return days < EXPIRY_WARNING_DAYS ? [['warning', `${source}: it expires in ${days} days`, [RENEW]]] : [];
}

/** RFC 5246, 7.4.2: each certificate must certify the one before it; old clients require this. */
function order({ chain }: CertificateConfig): string[] {
  if (chain === undefined) return [];
  const certificates = certificatesFromPem(readFileSync(chain, 'latin1'));
  const wrong = certificates.findIndex((one, index) => {
    const next = certificates[index + 1];
    return next !== undefined && !(one.checkIssued(next) && one.verify(next.publicKey));
  });
  return wrong < 0 ? [] : [`in ${chain}, certificate ${wrong + 2} did not sign certificate ${wrong + 1}`];
}

function oneLine(name: string): string {
  return name.replaceAll('\n', ', ');
}

const CHAIN_ADVICE = 'put the certificate of the server first, then its issuer, and so on, without the root';
const ALONE =
  'the file has only one certificate; clients cannot verify it unless they have its issuer (certbot: use fullchain.pem)';
const ENGINE_ONLY = "Node's own TLS rejects it, so only clients of the engine get it, with TLS 1.2 and older";
const ENGINE_ONLY_ADVICE =
  'set use = "legacy" for it, and add a certificate signed with SHA-256 for modern clients';
const RENEW = 'renew it (certbot: certbot renew), then: systemctl reload oldhello';
/** Automatic renewal should be earlier than this. */
const EXPIRY_WARNING_DAYS = 14;
