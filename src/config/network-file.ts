/** A file with one network a line, for lists that are too long for the configuration itself. */
import { ConfigError, type Problem } from './config-error.js';
import { network } from './formats.js';
import { show } from './show.js';
import { readSource } from './source.js';

/**
 * @returns the networks as written, in their order
 * @throws ConfigError with every line that is wrong, up to MAX_PROBLEMS of them
 */
export function readNetworkFile(path: string): string[] {
  const networks: string[] = [];
  const problems: Problem[] = [];
  let wrong = 0;
  for (const [index, line] of readSource(path, NETWORK_FILE).split('\n').entries()) {
    const written = line.replace(COMMENT, '').trim();
    if (written === '') continue;
    if (network.isValid(written)) networks.push(written);
    else {
      wrong += 1;
      if (wrong <= MAX_PROBLEMS) {
        problems.push({ line: index + 1, message: `found ${excerpt(written)}; allowed: ${network.allowed}` });
      }
    }
  }
  if (wrong > MAX_PROBLEMS) problems.push({ message: `${wrong - MAX_PROBLEMS} more lines are no network` });
  if (wrong > 0) throw new ConfigError(path, problems);
  return networks;
}

/** Where this is the wrong file, a line may be part of a private key. */
function excerpt(written: string): string {
  const { length } = written;
  return length > MAX_NETWORK_CHARACTERS ? `a line of ${length} characters` : show(written);
}

/** An IPv6 address with an IPv4 one in it is 45 long, and a prefix length four. */
const MAX_NETWORK_CHARACTERS = 49;
/** To the end of the line; block lists have either. */
const COMMENT = /[#;].*/;
/** More than a screen of them says that it is another file. */
const MAX_PROBLEMS = 20;
/** Half a million IPv4 networks; to read them holds up the connections of the process for about a second. */
const NETWORK_FILE = { noun: 'list of networks', maxBytes: 8 * 1024 * 1024 };
