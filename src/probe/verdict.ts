/** What the results of a probe mean, for a person. */
import { PROBED_CLIENTS, type ProbedClient } from './old-clients.js';
import type { ProbeResult } from './probe.js';

const clientOf = ({ client }: ProbeResult): ProbedClient => PROBED_CLIENTS[client];

export interface Verdict {
  /** Every kind of old client is served. */
  readonly survives: boolean;
  readonly sentence: string;
}

export function verdict(results: readonly ProbeResult[]): Verdict {
  const old = results.filter((result) => clientOf(result).old);
  const refused = old.filter(({ outcome }) => outcome !== 'served');
  if (results.every(({ outcome }) => outcome === 'no_tls')) {
    const detail = results[0]?.detail ?? 'nothing came';
    return {
      survives: false,
      sentence: `No TLS here: ${detail}. For a port where TLS comes first, use --implicit.`,
    };
  }
  if (results.every(({ outcome }) => outcome !== 'served')) {
    return {
      survives: false,
      sentence: 'Nobody is served, not even clients of today: see that this port has TLS and is well.',
    };
  }
  if (refused.length === 0) {
    return {
      survives: true,
      sentence: 'Every kind of old client is served: this server does not need oldhello.',
    };
  }
  const ancient = refused.some((result) => clientOf(result).profile === 'ancient');
  const profiles = ancient
    ? 'With oldhello in front they would be served, those with SSLv3 by profile "ancient".'
    : 'With oldhello in front they would be served.';
  return {
    survives: false,
    sentence: `${refused.length} of ${old.length} kinds of old clients are not served. ${profiles}`,
  };
}

/** "old Java mailers …: TLSv1 AES128-SHA: fine" */
export function lineOf(result: ProbeResult): string {
  const { title, old, profile } = clientOf(result);
  const what = answerInWords(result);
  if (result.outcome === 'served') return `+ ${title}: ${what}: fine`;
  const remedy = !old ? 'they need a look at this server' : `they would need oldhello, profile "${profile}"`;
  return `- ${title}: ${what}: ${remedy}`;
}

function answerInWords({ outcome, version, suite, alert, detail }: ProbeResult): string {
  const agreed = version === undefined ? '' : ` after ${version} ${suite} was agreed on`;
  switch (outcome) {
    case 'served':
      return `${version} ${suite}`;
    case 'refused':
      return `refused with the alert ${alert}${agreed}`;
    case 'closed':
      return `the server closed without a word${agreed}`;
    case 'timeout':
      return `no answer in time, ${detail}`;
    case 'not_tls':
      return detail ?? 'the server answered with something that is not TLS';
    case 'no_tls':
      return detail ?? 'it did not come as far as TLS';
  }
}
