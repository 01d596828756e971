/** Everything `oldhello check` looks at, in the order of the report. */
import type { Config } from '../config/schema.js';
import type { BackendPlan } from '../proxy/backend/open-session.js';
import { checkAccess } from './access.js';
import { checkDeliveryPath } from './backend.js';
import { checkCertificates } from './certificates.js';
import { deliveryPathsTo } from './delivery-paths.js';
import type { Finding } from './finding.js';
import { checkIneffective } from './ineffective.js';
import { checkNames } from './names.js';
import { checkNetworkFiles } from './networks.js';
import { checkOpensslSupport } from './openssl-support.js';
import type { ServiceUser } from './service-user.js';
import { checkStore, checkTicketKeys } from './sharing.js';

export interface CheckOptions {
  readonly now: Date;
  /** For each step with a backend. */
  readonly timeoutMs: number;
  /** Whether a path such as `admin` or `limits.idle-timeout` stands in the file. */
  readonly isWritten: (path: string) => boolean;
  /** Undefined where this process sees what the service sees. */
  readonly user: ServiceUser | undefined;
  /** Files that systemd hands to the service. */
  readonly credentials: readonly string[];
}

/** Calls `found` with each finding as it is made. */
export async function checkAll(
  config: Config,
  backends: readonly BackendPlan[],
  { now, timeoutMs, isWritten, user, credentials }: CheckOptions,
  found: (finding: Finding) => void,
): Promise<void> {
  const { length } = config.listeners;
  const message = `valid, with ${length} listener${length === 1 ? '' : 's'} and ${backends.length} backend${backends.length === 1 ? '' : 's'}`;
  found({ check: 'configuration', subject: 'file', verdict: 'good', message, advice: [] });
  checkIneffective(config, isWritten).forEach(found);
  checkOpensslSupport(config).forEach(found);
  if (user !== undefined) checkAccess(config, user, credentials).forEach(found);
  checkCertificates(config, now, user?.gids).forEach(found);
  checkNames(config).forEach(found);
  checkNetworkFiles(config).forEach(found);
  (await checkTicketKeys(config, now, user?.gids)).forEach(found);
  (await checkStore(config, timeoutMs)).forEach(found);
  for (const [index, plan] of backends.entries()) {
    for (const path of deliveryPathsTo(plan.config, config)) {
      for (const finding of await checkDeliveryPath(plan, path, timeoutMs)) {
        found({ ...finding, key: `backend[${index}].${finding.key ?? 'address'}` });
      }
    }
  }
}
