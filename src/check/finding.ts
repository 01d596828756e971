/** Findings: one line of the report each. */

/** All checks, in the order of the report. */
export const CHECKS = {
  configuration: 'the file is valid',
  'openssl-support': 'the OpenSSL of this machine computes what the profiles in use need',
  access: 'the user that the service runs as can read the files, and no other user can read the secret ones',
  certificate: 'certificate and key are valid, and old clients support them',
  dane: 'the TLSA record of a certificate, for senders that verify with DANE',
  networks: 'the networks-file of a policy is readable and valid',
  tickets: 'the file with ticket keys is valid, secret, and changed regularly',
  store: 'the session store is reachable and stores data',
  connection: 'the backend is reachable and sends a greeting',
  identity: 'the backend accepts the chosen identity (PROXY protocol or XCLIENT)',
  observed: 'the backend shows the address of the client that was sent to it',
  tls: "the backend's own TLS works, and its certificate matches tls-ca, tls-name or tls-pin",
  trust: 'the backend does not let clients claim another address (XCLIENT, XFORWARD)',
  relay: 'the backend is no open relay',
} as const satisfies Record<string, string>;

export type CheckName = keyof typeof CHECKS;

/** `unknown`: could not be checked because an earlier check failed, or because it cannot be seen from outside. */
export type Verdict = 'good' | 'bad' | 'warning' | 'unknown';

export interface Finding {
  readonly check: CheckName;
  /** Such as "certificate 1" or "backend mta, over STARTTLS". */
  readonly subject: string;
  readonly verdict: Verdict;
  /** One sentence; text from peers in it is sanitized. */
  readonly message: string;
  /** What to set, line by line. */
  readonly advice: readonly string[];
  /** The key of the configuration, such as `backend[0].address`. */
  readonly key?: string | undefined;
}

/** A finding about certificates. */
export function certificateFinding(
  subject: string,
  verdict: Verdict,
  message: string,
  advice: readonly string[] = [],
): Finding {
  return { check: 'certificate', subject, verdict, message, advice };
}

/** "2026-11-27", in UTC. */
export function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Warnings do not make a check fail. */
export function passed(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== 'bad');
}

/** @param placeOf the line of a key, as "FILE:LINE: KEY"; undefined for a finding that needs none */
export function render(finding: Finding, placeOf: (key: string) => string = (key) => key): string {
  const { check, subject, verdict, message, key } = finding;
  const place =
    key === undefined || verdict === 'good' || verdict === 'unknown' ? [] : [`see ${placeOf(key)}`];
  const advice = [...place, ...finding.advice];
  const head = `${MARKS[verdict].padEnd(MARK_COLUMNS)} ${subject}: ${check}: ${message}`;
  return [head, ...advice.map((line) => `${' '.repeat(MARK_COLUMNS + 1)}  ${line}`)].join('\n');
}

const MARKS: Record<Verdict, string> = { good: 'good', bad: 'BAD', warning: 'note', unknown: '?' };
const MARK_COLUMNS = 4;
