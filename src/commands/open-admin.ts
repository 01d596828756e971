/** Starts the subscribers of the log's channel: metrics, the status page, and the listener that serves them. */
import { AdminServer } from '../admin/admin-server.js';
import { loadAssets } from '../admin/assets.js';
import { UnusableValueError } from '../config/config-error.js';
import { limitText } from '../config/limit-text.js';
import type { AdminConfig } from '../config/schema.js';
import type { BackendWatch } from '../observe/backend-watch.js';
import type { LogChannel } from '../observe/log.js';
import { Metrics } from '../observe/metrics.js';
import { sampleProcess } from '../observe/process-sample.js';
import { StatusBoard } from '../observe/status/status.js';
import { ListenError } from '../proxy/listener/listen-error.js';
import { descriptorShare, MAX_ADMIN_CLIENTS } from '../system/descriptors.js';

/** Call it before the first event. @throws UnusableValueError if the address cannot be listened on */
export async function openAdmin(
  config: AdminConfig,
  address: NonNullable<AdminConfig['address']>,
  channel: LogChannel,
  backends: BackendWatch,
): Promise<void> {
  const sources = {
    metrics: new Metrics(),
    board: new StatusBoard(limitText),
    assets: loadAssets(),
    backends,
  };
  channel.subscribe(sources.metrics.receive);
  channel.subscribe(sources.board.receive);
  sampleProcess(channel.log);
  const server = new AdminServer(config, sources, descriptorShare(MAX_ADMIN_CLIENTS));
  try {
    const listening = await server.listen(address);
    channel.log('admin_listening', { address: listening.address, port: listening.port });
  } catch (error) {
    const problem = new ListenError({ address }, error as NodeJS.ErrnoException);
    throw new UnusableValueError('admin', undefined, 'address', problem);
  }
}
