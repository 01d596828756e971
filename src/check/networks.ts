/** Whether the files that policies name hold networks. */
import { UnusableValueError } from '../config/config-error.js';
import type { Config } from '../config/schema.js';
import type { NetworkFiles } from '../policy/networks.js';
import { readNetworkFiles } from '../proxy/network-files.js';
import type { Finding } from './finding.js';

/** Nothing where no file is configured. */
export function checkNetworkFiles(config: Pick<Config, 'policies'>): Finding[] {
  try {
    return findingsOf(config, readNetworkFiles(config));
  } catch (error) {
    if (!(error instanceof UnusableValueError)) throw error;
    return error.problems.map(({ key, message }) => {
      return { check: 'networks', subject: 'networks-file', verdict: 'bad', message, advice: [], key };
    });
  }
}

function findingsOf({ policies }: Pick<Config, 'policies'>, files: NetworkFiles): Finding[] {
  return policies.flatMap(({ networks, networksFile: path }, index): Finding[] => {
    if (path === undefined) return [];
    const { size } = files[path]!;
    const key = `policy[${index}].networks-file`;
    const found = { check: 'networks', subject: `policy ${index + 1}`, key } as const;
    if (size > 0 || networks.length > 0) {
      const message = `${path} has ${size} network${size === 1 ? '' : 's'}, those that overlap counted as one`;
      return [{ ...found, verdict: 'good', message, advice: [] }];
    }
    const advice = ['write one network a line, or remove the entry'];
    return [
      { ...found, verdict: 'warning', message: `${path} has no network: the entry is for nobody`, advice },
    ];
  });
}
