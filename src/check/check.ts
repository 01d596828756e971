/** All checks of `oldhello check`, in the order of the report. */
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
  /** Timeout of each step with a backend. */
  readonly timeoutMs: number;
  /** Whether a key such as `admin` or `limits.idle-timeout` is in the file. */
  readonly isWritten: (path: string) => boolean;
  /** Undefined if this process has the same permissions as the service. */
  readonly user: ServiceUser | undefined;
  /** Files that systemd passes to the service as credentials. */
  readonly credentials: readonly string[];
}

/** @param found called with each finding as soon as it is known */
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
    for (const target of await plan.addresses.targets(plan.config)) {
      for (const path of deliveryPathsTo(plan.config, config)) {
        for (const finding of await checkDeliveryPath(plan, target, path, timeoutMs)) {
          found({ ...finding, key: `backend[${index}].${finding.key ?? 'address'}` });
        }
      }
    }
  }
}
