/** `oldhello check`: tries everything a configuration relies on, and says what is wrong and what to set. */
import { checkAll } from '../check/check.js';
import { passed, render, type Finding } from '../check/finding.js';
import { UnusableValueError } from '../config/config-error.js';
import { loadConfig, locate } from '../config/load.js';
import { createLogChannel } from '../observe/log.js';
import { backendPlans } from '../proxy/backend/backend-plan.js';
import { refuseRelayRisks } from '../proxy/backend/relay-risk.js';
import { readTrustedCas } from '../proxy/backend/trusted-cas.js';
import { FAILED, GOOD, say, UsageError, type Command } from './command.js';

export const check: Command = {
  summary: 'try a configuration against the running backends',
  usage: `oldhello check --config FILE [--json]

Looks at the file, the certificates and their keys, and at what several machines share:
ticket keys and the session store. Reaches each backend as the mail of clients does,
claims to be a stranger from an address that nobody has, and looks whether the backend
believes it, whether its TLS is right, and whether it is an open relay. Sends no message. The backends must run; oldhello itself need not.

  --config FILE   the configuration, in TOML
  --json          one JSON object instead of lines

Exit codes: 0 good, 1 something is bad, 2 wrong usage or configuration.`,
  options: { config: { type: 'string' }, json: { type: 'boolean' } },
  allowPositionals: false,
  async run({ values: { config: file, json } }) {
    if (typeof file !== 'string') throw new UsageError(`which configuration?\n\n${check.usage}`);
    const findings: Finding[] = [];
    const found = (finding: Finding): void => {
      findings.push(finding);
      if (json !== true) say(render(finding));
    };
    await tryConfiguration(file, found);
    const good = passed(findings);
    if (json === true) say(JSON.stringify({ good, findings }, undefined, 2));
    return good ? GOOD : FAILED;
  },
};

/** @throws ConfigError */
async function tryConfiguration(file: string, found: (finding: Finding) => void): Promise<void> {
  const config = loadConfig(file);
  try {
    await refuseRelayRisks(config);
    const plans = backendPlans(config, readTrustedCas(config), createLogChannel().log);
    await checkAll(config, plans, { now: new Date(), patience: PATIENCE }, found);
  } catch (error) {
    throw error instanceof UnusableValueError ? locate(error, file) : error;
  }
}

/** Milliseconds: a mail server that greets later than this is ill, or waits for something else first. */
const PATIENCE = 15_000;
