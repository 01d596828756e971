/** Start, reload and stop: what signals do, and what systemd is notified of. */
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
  /** Undefined if there is no file to reload. */
  readonly configuration:
    { readonly file: string; readonly load: () => Config; readonly started: Config } | undefined;
  /** Called last. */
  readonly stopped: () => void;
}

export class LifeCycle {
  readonly #parts: LifeCycleParts;
  #stopping = false;
  /** True during the start too, which also reads the configuration. */
  #reloading = true;
  /** A reload was requested during another one, which may have read the old file. */
  #again = false;

  constructor(parts: LifeCycleParts) {
    this.#parts = parts;
  }

  /** Call it first: then a slow start can be stopped, and SIGHUP does not end it. */
  watch(): void {
    const { log: channel, configuration } = this.#parts;
    exitOnDefect((error) => {
      channel.log('internal_error', { error });
      return channel.close();
    }, channel.exit);
    process.on('SIGTERM', (signal) => void this.#stop(signal));
    process.on('SIGINT', (signal) => void this.#stop(signal));
    if (configuration !== undefined) process.on('SIGHUP', () => void this.#reload());
  }

  /** Call it when clients are served. */
  async begin(): Promise<void> {
    if (this.#stopping) return;
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

  /** The first signal waits for open connections, the second one does not. */
  async #stop(signal: NodeJS.Signals): Promise<void> {
    const { server, log: channel, manager, stopped } = this.#parts;
    if (this.#stopping) {
      await channel.close();
      channel.exit(0);
    }
    this.#stopping = true;
    const { log } = channel;
    log('stopping', { signal, connections: server.connections });
    const told = manager.stopping(`waiting for ${server.connections} connections to end`);
    await server.stop();
    await told;
    stopped();
    log('stopped');
    await channel.close();
    // What still waits in the event loop must not keep the process alive.
    channel.exit(0);
  }

  async #reload(): Promise<void> {
    if (this.#stopping) return;
    this.#again = this.#reloading;
    if (this.#reloading) return;
    this.#reloading = true;
    const { manager, log: channel } = this.#parts;
    channel.reopen();
    await manager.reloading();
    await this.#readConfiguration();
    if (this.#isStopping()) return;
    await manager.ready(this.#status());
    this.#reloading = false;
    if (this.#again) await this.#reload();
  }

  /** A stop may come at any time; then it is the last that the log and systemd have of this process. */
  async #readConfiguration(): Promise<void> {
    if (this.#isStopping()) return;
    const { server, log: channel, configuration } = this.#parts;
    const { file, load, started } = configuration!;
    try {
      const config = load();
      await server.configure(config);
      if (this.#isStopping()) return;
      channel.log('reloaded', { file });
      const keys = keysThatTakeRestart(started, config);
      if (keys.length > 0) channel.log('restart_needed', { file, keys });
    } catch (error) {
      if (!this.#stopping) channel.log('reload_failed', { file, problems: problemsOf(error, file) });
    }
  }

  /** Unlike the field, the compiler does not take it for constant across an await. */
  #isStopping(): boolean {
    return this.#stopping;
  }
}

function problemsOf(error: unknown, file: string): readonly string[] {
  const problem = error instanceof UnusableValueError ? locate(error, file) : error;
  return problem instanceof Error ? problem.message.split('\n') : [String(problem)];
}
