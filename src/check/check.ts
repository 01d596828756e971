/** Everything `oldhello check` looks at, in the order of the report. */
import type { Config } from '../config/schema.js';
import type { BackendPlan } from '../proxy/backend/open-session.js';
import { checkLeg } from './backend.js';
import { checkCertificates } from './certificates.js';
import type { Finding } from './finding.js';
import { legsTo } from './delivery-paths.js';
import { checkPrimitives } from './primitives.js';
import { checkStore, checkTicketKeys } from './sharing.js';

export interface CheckOptions {
  readonly now: Date;
  /** Milliseconds for each step with a backend. */
  readonly patience: number;
}

/** Calls `found` with each finding as it is made. */
export async function checkAll(
  config: Config,
  backends: readonly BackendPlan[],
  { now, patience }: CheckOptions,
  found: (finding: Finding) => void,
): Promise<void> {
  const { length } = config.listeners;
  const message = `valid, with ${length} listener${length === 1 ? '' : 's'} and ${backends.length} backend${backends.length === 1 ? '' : 's'}`;
  found({ check: 'configuration', subject: 'file', verdict: 'good', message, advice: [] });
  checkPrimitives(config).forEach(found);
  checkCertificates(config, now).forEach(found);
  (await checkTicketKeys(config, now)).forEach(found);
  (await checkStore(config, patience)).forEach(found);
  for (const plan of backends) {
    for (const leg of legsTo(plan.config, config)) (await checkLeg(plan, leg, patience)).forEach(found);
  }
}
