/**
 * Sends state to systemd (sd_notify) and receives sockets from it (sd_listen_fds). Node has no datagram sockets of
 * AF_UNIX, so messages go through the command systemd-notify; NotifyAccess=all in the unit allows that. Without
 * systemd, nothing happens.
 */
import { execFile } from 'node:child_process';

type Environment = NodeJS.ProcessEnv;

export class ServiceManager {
  readonly #socket: string | undefined;
  /** Watchdog interval in milliseconds; undefined without one. */
  readonly #watchdog: number | undefined;
  readonly #failed: (error: Error) => void;
  #beat: NodeJS.Timeout | undefined;
  /** Keeps messages in order. */
  #said: Promise<void> = Promise.resolve();

  /**
   * Removes its variables from `environment`, so that child processes do not use them.
   * @param failed called once, with the reason why nothing can be sent to systemd
   */
  constructor(environment: Environment, pid: number, failed: (error: Error) => void) {
    const [socket, usec, watched] = take(environment, 'NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID');
    this.#socket = socket === '' ? undefined : socket;
    const mine = watched === undefined || Number(watched) === pid;
    this.#watchdog = mine && Number(usec) > 0 ? Number(usec) / 1000 : undefined;
    this.#failed = onlyOnce(failed);
  }

  /** Call it after `reloading` too. Starts the watchdog. */
  ready(status: string): Promise<void> {
    const said = this.#say('READY=1', `STATUS=${status}`);
    if (this.#watchdog !== undefined && this.#socket !== undefined && this.#beat === undefined) {
      // A hanging event loop delays this timer, and the watchdog is there to detect exactly that.
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
    // hrtime reads CLOCK_MONOTONIC, which systemd expects.
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
 * File descriptors of the listening sockets that systemd bound (sd_listen_fds). Removes its variables from
 * `environment`, because the numbers mean nothing in child processes.
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
/** systemd-notify takes about 5 ms. */
const NOTIFY_TIMEOUT_MS = 5_000;
