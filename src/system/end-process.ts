/** The end of the process, also while a write hangs. */

/**
 * process.exit waits for what runs on Node's threads, so a signal has to end a process with a write that may hang.
 * @param code 0 for an end that was asked for
 */
export function endProcess(code: number, isWriting: boolean): never {
  if (!isWriting) process.exit(code);
  // systemd takes SIGTERM for a clean end, and starts a service that SIGKILL has ended again.
  const signal = code === 0 ? 'SIGTERM' : 'SIGKILL';
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Linux protects the first process of a container from signals of its own, except from this one.
  process.abort();
}
