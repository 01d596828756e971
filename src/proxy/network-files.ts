/** The networks that policies name in files of their own. */
import { ConfigError, UnusableValueError, UnusableValuesError } from '../config/config-error.js';
import { readNetworkFile } from '../config/network-file.js';
import type { Config } from '../config/schema.js';
import { NetworkSet, type NetworkFiles } from '../policy/networks.js';

/**
 * Read once for a configuration: a process that starts later gets what this one has read.
 * @throws UnusableValuesError with the wrong lines of all files
 */
export function readNetworkFiles({ policies }: Pick<Config, 'policies'>): NetworkFiles {
  const files: Record<string, NetworkSet> = {};
  const errors: UnusableValueError[] = [];
  const tried = new Set<string>();
  for (const [index, { networksFile: path }] of policies.entries()) {
    if (path === undefined || tried.has(path)) continue;
    tried.add(path);
    try {
      files[path] = NetworkSet.of(readNetworkFile(path));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const line of error.message.split('\n')) {
        errors.push(new UnusableValueError('policy', index, 'networks-file', new Error(line)));
      }
    }
  }
  if (errors.length > 0) throw new UnusableValuesError(errors);
  return files;
}
