/**
 * Sends state to systemd (sd_notify) and receives sockets from it (sd_listen_fds). Node has no datagram sockets of
 * AF_UNIX, so messages go through the command systemd-notify; NotifyAccess=all in the unit allows that. Without
 * systemd, nothing happens.
 */
import { execFile } from 'node:child_process';

type Environment = NodeJS.ProcessEnv;
/** Runs systemd-notify with these arguments. It may throw, as execFile does when there is no memory for a process. */
export type Notify = (
  words: readonly string[],
  environment: Environment,
  done: (error: Error | null) => void,
) => void;

export class ServiceManager {
  readonly #socket: string | undefined;
  /** Watchdog interval in milliseconds; undefined without one. */
  readonly #watchdog: number | undefined;
  readonly #failed: (error: Error) => void;
  readonly #notify: Notify;
  #beating = false;
  /** Keeps messages in order; whether the last one was sent. */
  #said: Promise<boolean> = Promise.resolve(true);

  /**
   * Removes its variables from `environment`, so that child processes do not use them.
   * @param failed called once, with the reason why nothing can be sent to systemd
   */
  constructor(
    environment: Environment,
    pid: number,
    failed: (error: Error) => void,
    notify: Notify = runSystemdNotify,
  ) {
    const [socket, usec, watched] = take(environment, 'NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID');
    this.#socket = socket === '' ? undefined : socket;
    const mine = watched === undefined || Number(watched) === pid;
    this.#watchdog = mine && Number(usec) > 0 ? Number(usec) / 1000 : undefined;
    this.#failed = onlyOnce(failed);
    this.#notify = notify;
  }

  /** Call it after `reloading` too. Starts the watchdog. */
  async ready(status: string): Promise<void> {
    const said = this.#say('READY=1', `STATUS=${status}`);
    if (this.#watchdog !== undefined && this.#socket !== undefined && !this.#beating) {
      this.#beating = true;
      this.#beatAfter(this.#watchdog / BEATS, this.#watchdog / BEATS);
    }
    await said;
  }

  async reloading(): Promise<void> {
    // hrtime reads CLOCK_MONOTONIC, which systemd expects.
    await this.#say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  async stopping(status: string): Promise<void> {
    await this.#say('STOPPING=1', `STATUS=${status}`);
  }

  /** A hanging event loop delays this timer, and the watchdog is there to detect exactly that. */
  #beatAfter(delay: number, interval: number): void {
    const beat = async (): Promise<void> => {
      const sent = await this.#say('WATCHDOG=1');
      this.#beatAfter(sent ? interval : Math.min(RETRY_DELAY_MS, interval), interval);
    };
    setTimeout(() => void beat(), delay).unref();
  }

  #say(...words: readonly string[]): Promise<boolean> {
    if (this.#socket !== undefined) this.#said = this.#said.then(() => this.#send(words));
    return this.#said;
  }

  #send(words: readonly string[]): Promise<boolean> {
    const environment = { PATH: process.env['PATH'], NOTIFY_SOCKET: this.#socket };
    return new Promise((resolve) => {
      const done = (error: Error | null): void => {
        if (error !== null) this.#failed(error);
        resolve(error === null);
      };
      try {
        this.#notify(words, environment, done);
      } catch (error) {
        done(error as Error);
      }
    });
  }
}

const runSystemdNotify: Notify = (words, env, done) => {
  execFile('systemd-notify', words, { env, timeout: NOTIFY_TIMEOUT_MS }, done);
};

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
/** Of the watchdog in its interval: one or two that fail on a busy machine do not end the service. */
const BEATS = 4;
const RETRY_DELAY_MS = 1_000;
