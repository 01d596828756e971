/** Reasons why a probe does not reach TLS. A proxy would not help there, so each has its own next step. */
import { connectProblem } from '../net/connect-error.js';
import { hostAndPort } from '../net/endpoint.js';
import { sanitizePeerText } from '../observe/sanitize.js';

export interface Obstacle {
  readonly reason: ObstacleReason;
  /** Text from the server in it is sanitized. */
  readonly seen: string;
  readonly remedy: string;
}

const CLIENTS_PORT = 'probe the port that clients on the Internet connect to';

const REMEDIES = {
  unreachable: 'check that the server runs, and that address and port are right',
  no_greeting: `check that this is the SMTP port; a server behind a load balancer waits for a PROXY header: ${CLIENTS_PORT}`,
  greeting_refused: `the server rejects this machine, or waits for a PROXY header first: ${CLIENTS_PORT}, or probe from another machine`,
  closed_early: `the server rejects this machine, or waits for a PROXY header first: ${CLIENTS_PORT}, or probe from another machine`,
  no_starttls:
    'give this server a certificate and switch STARTTLS on; for a port where TLS comes first (465), use --implicit',
  starttls_failed: 'read the log of the server; often it cannot read its certificate or key',
  not_smtp: 'check that this is the SMTP port',
  http: 'this is a web server; give the port of the mail server',
  tls_first: 'use --implicit, because TLS comes first here',
  smtp_first: 'remove --implicit, because SMTP with STARTTLS comes first here',
  not_tls: 'check that this port has TLS',
  no_tls_answer: 'check that this port has TLS; for a port with STARTTLS, remove --implicit',
} as const;

export type ObstacleReason = keyof typeof REMEDIES;

export function obstacle(reason: ObstacleReason, seen: string, remedy: string = REMEDIES[reason]): Obstacle {
  return { reason, seen, remedy };
}

export function unreachable(host: string, port: number, { code, message }: NodeJS.ErrnoException): Obstacle {
  const problem = connectProblem(code);
  const seen = `no connection to ${hostAndPort(host, port)}: ${problem?.meaning ?? message} (${code ?? 'error'})`;
  return obstacle('unreachable', seen, problem?.remedy);
}

/** Describes what the server sent instead of TLS. */
export function notTls(bytes: Buffer): Obstacle {
  const text = bytes.toString('latin1', 0, MAX_QUOTED_BYTES);
  const line = sanitizePeerText(text.split(/[\r\n]/)[0] ?? '');
  if (/^HTTP\//.test(text)) return obstacle('http', `it answers with HTTP: "${line}"`);
  if (/^[2-5]\d\d[ -]/.test(text)) return obstacle('smtp_first', `it answers with SMTP: "${line}"`);
  return obstacle(
    'not_tls',
    line === '' ? 'it answers with something that is not TLS' : `it answers with "${line}", which is not TLS`,
  );
}

const MAX_QUOTED_BYTES = 120;
