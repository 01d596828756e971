/** What a check found: one line of the report each. */

/** What is looked at, in the order of the report. */
export const CHECKS = {
  configuration: 'the file is valid',
  'openssl-support': 'the OpenSSL of this machine computes what the profiles in use need',
  access: 'the user that the service runs as can read the files, and no other user can read the secret ones',
  certificate: 'a certificate and its key can be used, and old clients can use them',
  dane: 'the TLSA record of a certificate, for senders that verify with DANE',
  networks: 'the networks of a policy can be read from their file',
  tickets: 'the file with ticket keys can be used, is secret, and is changed',
  store: 'the session store can be reached and keeps what it is given',
  connection: 'the backend can be reached and greets',
  identity: 'the backend accepts how it is told who the client is',
  observed: 'the backend shows that it knows the address that was claimed',
  tls: "the backend's own TLS works, and its certificate is the one that was asked for",
  trust: 'the backend lets no client say itself who it is',
  relay: 'a stranger cannot send mail to the world',
} as const satisfies Record<string, string>;

export type CheckName = keyof typeof CHECKS;

/** `unknown`: could not be looked at, because something before it failed, or cannot be seen from outside. */
export type Verdict = 'good' | 'bad' | 'warning' | 'unknown';

export interface Finding {
  readonly check: CheckName;
  /** "certificate 1", "backend mta, STARTTLS". */
  readonly subject: string;
  readonly verdict: Verdict;
  /** One sentence; peers' words in it are escaped. */
  readonly message: string;
  /** What to set, line by line. */
  readonly advice: readonly string[];
  /** `backend[0].address`: what to look at in the configuration. */
  readonly key?: string | undefined;
}

/** A warning is for whoever reads; only what is bad makes a check fail. */
export function passed(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== 'bad');
}

/** @param placeOf the line of a key, as "FILE:LINE: KEY"; undefined for a finding that needs none */
export function render(finding: Finding, placeOf: (key: string) => string = (key) => key): string {
  const { check, subject, verdict, message, key } = finding;
  const place =
    key === undefined || verdict === 'good' || verdict === 'unknown' ? [] : [`see ${placeOf(key)}`];
  const advice = [...place, ...finding.advice];
  const head = `${MARKS[verdict].padEnd(MARK_WIDTH)} ${subject}: ${check}: ${message}`;
  return [head, ...advice.map((line) => `${' '.repeat(MARK_WIDTH + 1)}  ${line}`)].join('\n');
}

const MARKS: Record<Verdict, string> = { good: 'good', bad: 'BAD', warning: 'note', unknown: '?' };
const MARK_WIDTH = 4;
