/** From the first listening socket to the exit code: what signals do, and what the service manager hears of it. */
import { UnusableValueError } from '../config/config-error.js';
import { locate } from '../config/load.js';
import { keysThatTakeRestart } from '../config/restart.js';
import type { Config } from '../config/schema.js';
import type { ProxyServer } from '../proxy/server.js';
import type { ServiceManager } from '../system/systemd.js';
import { exitOnDefect } from '../system/defects.js';
import { version } from '../system/version.js';
import type { OpenLog } from './open-log.js';

export interface LifeCycleParts {
  readonly server: ProxyServer;
  readonly log: OpenLog;
  readonly manager: ServiceManager;
  /** Undefined where there is no file to read again. */
  readonly configuration:
    { readonly file: string; readonly load: () => Config; readonly started: Config } | undefined;
  /** The last thing to happen before the end. */
  readonly stopped: () => void;
}

export class LifeCycle {
  readonly #parts: LifeCycleParts;
  #stopping = false;
  /** Also while it starts, which reads the configuration too. */
  #reloading = true;
  /** Somebody asked while a reload was under way, which may have read the file already. */
  #again = false;

  constructor(parts: LifeCycleParts) {
    this.#parts = parts;
  }

  /** Before anything else: also a start that takes long can be stopped, and is not ended by SIGHUP. */
  watch(): void {
    const { log: channel, configuration } = this.#parts;
    exitOnDefect((error) => {
      channel.log('internal_error', { error });
      return channel.close();
    });
    process.on('SIGTERM', (signal) => void this.#stop(signal));
    process.on('SIGINT', (signal) => void this.#stop(signal));
    if (configuration !== undefined) process.on('SIGHUP', () => void this.#reload());
  }

  /** To be called when clients are served. */
  async begin(): Promise<void> {
    const { manager, log: channel } = this.#parts;
    channel.log('started', {
      version: version(),
      node: process.version,
      pid: process.pid,
    });
    await manager.ready(this.#status());
    this.#reloading = false;
    if (this.#again) await this.#reload();
  }

  #status(): string {
    return `serving on ${this.#parts.server.listening.length} addresses`;
  }

  /** The first signal lets sessions finish, the second does not wait. */
  async #stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#stopping) process.exit(0);
    this.#stopping = true;
    const { server, log: channel, manager, stopped } = this.#parts;
    const { log } = channel;
    log('stopping', { signal, connections: server.connections });
    const told = manager.stopping(`waiting for ${server.connections} connections to end`);
    await server.stop();
    await told;
    stopped();
    log('stopped');
    await channel.close();
    // Work nobody waits for any more, such as a search for a prime, must not hold the process.
    process.exit(0);
  }

  async #reload(): Promise<void> {
    if (this.#stopping) return;
    this.#again = this.#reloading;
    if (this.#reloading) return;
    this.#reloading = true;
    const { server, manager, configuration } = this.#parts;
    const { log } = this.#parts.log;
    const { file, load, started } = configuration!;
    this.#parts.log.reopen();
    await manager.reloading();
    try {
      const config = load();
      await server.configure(config);
      log('reloaded', { file });
      const keys = keysThatTakeRestart(started, config);
      if (keys.length > 0) log('restart_needed', { file, keys });
    } catch (error) {
      log('reload_failed', { file, problems: problemsOf(error, file) });
    }
    await manager.ready(this.#status());
    this.#reloading = false;
    if (this.#again) await this.#reload();
  }
}

function problemsOf(error: unknown, file: string): readonly string[] {
  const problem = error instanceof UnusableValueError ? locate(error, file) : error;
  return problem instanceof Error ? problem.message.split('\n') : [String(problem)];
}
