/**
 * What systemd is told (sd_notify) and what it hands over (sd_listen_fds). Node opens no datagram sockets of AF_UNIX, so
 * the words go through the command systemd-notify; the unit allows that with NotifyAccess=all. Without systemd, all of
 * this does nothing.
 */
import { execFile } from 'node:child_process';

type Environment = NodeJS.ProcessEnv;

export class ServiceManager {
  readonly #socket: string | undefined;
  /** Milliseconds; undefined where nobody watches. */
  readonly #watchdog: number | undefined;
  readonly #failed: (error: Error) => void;
  #beat: NodeJS.Timeout | undefined;
  /** One word after the other. */
  #said: Promise<void> = Promise.resolve();

  /**
   * Takes its variables out of `environment`, so that no child believes them to be its own.
   * @param failed hears, once, why systemd cannot be told
   */
  constructor(environment: Environment, pid: number, failed: (error: Error) => void) {
    const [socket, usec, watched] = take(environment, 'NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID');
    this.#socket = socket === '' ? undefined : socket;
    const mine = watched === undefined || Number(watched) === pid;
    this.#watchdog = mine && Number(usec) > 0 ? Number(usec) / 1000 : undefined;
    this.#failed = onlyOnce(failed);
  }

  /** Also after `reloading`. The watchdog begins. */
  ready(status: string): Promise<void> {
    const said = this.#say('READY=1', `STATUS=${status}`);
    if (this.#watchdog !== undefined && this.#socket !== undefined && this.#beat === undefined) {
      // A timer that is late because the event loop hangs is just what the watchdog is for.
      let saying = false;
      this.#beat = setInterval(() => {
        if (saying) return;
        saying = true;
        void this.#say('WATCHDOG=1').then(() => (saying = false));
      }, this.#watchdog / 2);
      this.#beat.unref();
    }
    return said;
  }

  reloading(): Promise<void> {
    // CLOCK_MONOTONIC, which is what hrtime reads.
    return this.#say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(status: string): Promise<void> {
    return this.#say('STOPPING=1', `STATUS=${status}`);
  }

  #say(...words: readonly string[]): Promise<void> {
    if (this.#socket !== undefined) this.#said = this.#said.then(() => this.#run(words));
    return this.#said;
  }

  #run(words: readonly string[]): Promise<void> {
    const env = { PATH: process.env['PATH'], NOTIFY_SOCKET: this.#socket };
    return new Promise((resolve) => {
      execFile('systemd-notify', words, { env, timeout: NOTIFY_TIMEOUT_MS }, (error) => {
        if (error !== null) this.#failed(error);
        resolve();
      });
    });
  }
}

/**
 * The descriptors of listening sockets that were bound before this program started (sd_listen_fds). Takes its variables
 * out of `environment`, as every child would find the same numbers and nothing behind them.
 */
export function inheritedSockets(environment: Environment, pid: number): number[] {
  const [owner, count] = take(environment, 'LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES');
  if (Number(owner) !== pid) return [];
  return Array.from({ length: Number(count) }, (_, index) => FIRST_FD + index);
}

function take(environment: Environment, ...names: readonly string[]): (string | undefined)[] {
  const values = names.map((name) => environment[name]);
  for (const name of names) Reflect.deleteProperty(environment, name);
  return values;
}

function onlyOnce<T>(action: (argument: T) => void): (argument: T) => void {
  let done = false;
  return (argument) => {
    if (!done) action(argument);
    done = true;
  };
}

/** SD_LISTEN_FDS_START. */
const FIRST_FD = 3;
/** Milliseconds; it takes five. */
const NOTIFY_TIMEOUT_MS = 5_000;
