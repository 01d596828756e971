/** Summarizes the results of a probe for a person. */
import { PROBED_CLIENTS, type ProbedClient } from './old-clients.js';
import type { ProbeReport } from './probe.js';
import type { ProbeResult } from './probe-connection.js';

const clientOf = ({ client }: ProbeResult): ProbedClient => PROBED_CLIENTS[client];

export interface Verdict {
  /** Every kind of old client is served. */
  readonly survives: boolean;
  readonly sentence: string;
}

export function verdict({ results, obstacle }: ProbeReport): Verdict {
  if (obstacle !== undefined) {
    const { seen, remedy } = obstacle;
    const where =
      results.length === 0 ? 'TLS was not reached' : `The probe ended after ${results.length} connections`;
    return { survives: false, sentence: `${where}: ${seen}. Next step: ${remedy}.` };
  }
  if (results.every(({ outcome }) => outcome !== 'served')) {
    return {
      survives: false,
      sentence: 'No client is served, not even modern ones. Next step: read the log of the server.',
    };
  }
  const old = results.filter((result) => clientOf(result).old);
  const refused = old.filter(({ outcome }) => outcome !== 'served');
  if (refused.length === 0) {
    return {
      survives: true,
      sentence: 'Every kind of old client is served: this server does not need oldhello.',
    };
  }
  const ancient = refused.some((result) => clientOf(result).profile === 'ancient');
  const profiles = ancient
    ? 'oldhello in front of it would serve them, those with SSLv3 with profile "ancient".'
    : 'oldhello in front of it would serve them.';
  return {
    survives: false,
    sentence: `${refused.length} of ${old.length} kinds of old clients are not served. ${profiles}`,
  };
}

/** "old Java mailers …: TLSv1 AES128-SHA: fine" */
export function lineOf(result: ProbeResult): string {
  const { title, old, profile } = clientOf(result);
  const what = describe(result);
  if (result.outcome === 'served') return `+ ${title}: ${what}: fine`;
  const remedy = old ? `oldhello would serve them, with profile "${profile}"` : 'read the log of this server';
  return `- ${title}: ${what}: ${remedy}`;
}

function describe({ outcome, version, suite, alert }: ProbeResult): string {
  const agreed = version === undefined ? '' : ` after agreeing on ${version} ${suite}`;
  switch (outcome) {
    case 'served':
      return `${version} ${suite}`;
    case 'refused':
      return `refused with the alert ${alert}${agreed}`;
    case 'closed':
      return `the server closed the connection without an alert${agreed}`;
    case 'timeout':
      return `no answer in time${agreed}`;
  }
}
