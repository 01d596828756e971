/** `oldhello check`: checks everything that a configuration depends on, and prints the problems and what to set. */
import { checkAll } from '../check/check.js';
import { passed, render, type Finding } from '../check/finding.js';
import { serviceUser, unitCredentials, type ServiceUser } from '../check/service-user.js';
import { UnusableValueError } from '../config/config-error.js';
import { locate, positionsIn } from '../config/load.js';
import type { Credentials } from '../config/paths.js';
import { createLogChannel } from '../observe/log.js';
import { systemAddressBook } from '../proxy/backend/address-book.js';
import { backendPlans } from '../proxy/backend/backend-plan.js';
import { refuseRelayRisks } from '../proxy/backend/relay-risk.js';
import { readTrustedCas } from '../proxy/backend/trusted-cas.js';
import { loadConfiguration } from './load-configuration.js';
import { FAILED, GOOD, say, UsageError, type Command } from './command.js';

export const check: Command = {
  summary: 'check a configuration and its running backends',
  usage: `oldhello check --config FILE [--user NAME] [--json]

Looks at the file, the certificates and their keys, and at what several machines share:
ticket keys and the session store. Connects to each backend as the mail of clients does,
claims to be a stranger from an address that nobody has, and reports whether the backend
believes it, whether its TLS is right, and whether it is an open relay. Sends no message.
The backends must run; oldhello itself need not.

  --config FILE   the configuration, in TOML
  --user NAME     the user that the service runs as; root checks whether this user can
                  read the files. Without it: User= of oldhello.service, or "oldhello"
  --json          one JSON object instead of lines

Exit codes: 0 good, 1 something is bad, 2 wrong usage or configuration.`,
  options: { config: { type: 'string' }, user: { type: 'string' }, json: { type: 'boolean' } },
  allowPositionals: false,
  async run({ values: { config: file, user, json } }) {
    if (typeof file !== 'string') throw new UsageError(`which configuration?\n\n${check.usage}`);
    const positions = positionsIn(file);
    const placeOf = (key: string): string => {
      const line = positions?.lineOf(key);
      return line === undefined ? file : `${file}:${line}: ${key}`;
    };
    const findings: Finding[] = [];
    const found = (finding: Finding): void => {
      findings.push(finding);
      if (json !== true) say(render(finding, placeOf));
    };
    const isWritten = (path: string): boolean => positions?.exactLineOf(path) !== undefined;
    await tryConfiguration(file, viewOf(typeof user === 'string' ? user : undefined), isWritten, found);
    const good = passed(findings);
    if (json === true) say(JSON.stringify({ good, findings }, undefined, 2));
    return good ? GOOD : FAILED;
  },
};

/** @throws ConfigError */
async function tryConfiguration(
  file: string,
  { user, credentials }: View,
  isWritten: (path: string) => boolean,
  found: (finding: Finding) => void,
): Promise<void> {
  const config = loadConfiguration(file, credentials);
  try {
    await refuseRelayRisks(config);
    const plans = backendPlans(config, readTrustedCas(config), createLogChannel().log, systemAddressBook());
    const handedOver = typeof credentials === 'object' ? [...credentials.values()] : [];
    const options = { now: new Date(), timeoutMs: TIMEOUT_MS, isWritten, user, credentials: handedOver };
    await checkAll(config, plans, options, found);
  } catch (error) {
    throw error instanceof UnusableValueError ? locate(error, file) : error;
  }
}

interface View {
  readonly user: ServiceUser | undefined;
  readonly credentials: Credentials;
}

/** Root checks with the permissions of the service; any other user can only check with its own. */
function viewOf(asked: string | undefined): View {
  const inService = process.env['CREDENTIALS_DIRECTORY'];
  const user = process.getuid?.() === 0 ? serviceUser(asked) : undefined;
  return { user: user?.uid === 0 ? undefined : user, credentials: inService ?? unitCredentials() };
}

/** A mail server that sends its greeting later is overloaded, or waits for something else first. */
const TIMEOUT_MS = 15_000;
