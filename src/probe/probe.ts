/** Imitates one client after the other, each on its own connection, while the server reaches TLS. */
import { obstacle, type Obstacle } from './obstacle.js';
import { PROBED_CLIENTS, type ProbedClientCode } from './old-clients.js';
import { probeAs, type ProbeResult, type ProbeTarget, type ProbeTimeouts } from './probe-connection.js';

export interface ProbeReport {
  /** In the order of the table; incomplete if an obstacle ended the probe. */
  readonly results: readonly ProbeResult[];
  readonly obstacle: Obstacle | undefined;
}

export async function probe(
  target: ProbeTarget,
  timeouts: ProbeTimeouts = DEFAULT_TIMEOUTS,
): Promise<ProbeReport> {
  const results: ProbeResult[] = [];
  for (const client of ORDER) {
    const result = await probeAs(client, target, timeouts);
    if ('reason' in result) return { results, obstacle: await explained(result, target, timeouts) };
    results.push(result);
    if (results.length >= ENOUGH_WITHOUT_TLS && results.every(isWithoutTls)) {
      const how = results.every(({ outcome }) => outcome === 'closed')
        ? 'closes the connection'
        : 'is silent';
      return {
        results: [],
        obstacle: obstacle('no_tls_answer', `it ${how} after ClientHellos of TLS 1.2 and TLS 1.0`),
      };
    }
  }
  const rank = ({ client }: ProbeResult): number => ALL.indexOf(client);
  return { results: results.toSorted((a, b) => rank(a) - rank(b)), obstacle: undefined };
}

/** A server that sends no greeting may wait for TLS, or speak a protocol in which the client comes first. */
async function explained(seen: Obstacle, target: ProbeTarget, timeouts: ProbeTimeouts): Promise<Obstacle> {
  if (seen.reason !== 'no_greeting') return seen;
  const answerMs = Math.min(SECOND_LOOK_MS, timeouts.answerMs);
  const second = await probeAs(FIRST, { ...target, mode: 'implicit' }, { ...timeouts, answerMs });
  if ('reason' in second) return second.reason === 'http' ? second : seen;
  const isTls = second.outcome === 'served' || second.outcome === 'refused';
  return isTls ? obstacle('tls_first', 'it sends no greeting, and answers a ClientHello with TLS') : seen;
}

function isWithoutTls({ outcome, version }: ProbeResult): boolean {
  return (outcome === 'closed' || outcome === 'timeout') && version === undefined;
}

const ALL = Object.keys(PROBED_CLIENTS) as ProbedClientCode[];
/** Most servers with TLS serve this one, so problems that have nothing to do with old clients appear first. */
const FIRST = 'tls1_2';
const SECOND = 'tls1_0';
const ORDER = [FIRST, SECOND, ...ALL.filter((client) => client !== FIRST && client !== SECOND)] as const;
/** Any server with TLS answers one of the first two, at least with an alert. */
const ENOUGH_WITHOUT_TLS = 2;
/** Servers that delay their greeting for strangers do so for a few seconds. */
const DEFAULT_TIMEOUTS: ProbeTimeouts = { connectMs: 10_000, greetingMs: 12_000, answerMs: 10_000 };
const SECOND_LOOK_MS = 3_000;
