/** Reports every few seconds how busy this process is. Each process of oldhello runs one. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Log } from './log.js';

/** @returns a function that stops it */
export function sampleProcess(log: Log): () => void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  // Node counts from one tick to the next, so that a loop without delay has RESOLUTION.
  const late = (nanoseconds: number): number => Math.max(0, round(nanoseconds / 1e6 - RESOLUTION_MS));
  const sample = (): void => {
    const { user, system } = process.cpuUsage();
    const memory = residentMemory();
    if (memory === undefined) return;
    log('process_sample', {
      pid: process.pid,
      delayMedian: late(delays.percentile(50)),
      delay99: late(delays.percentile(99)),
      delayMax: late(delays.max),
      memory,
      cpu: (user + system) / 1e6,
    });
    delays.reset();
  };
  const timer = setInterval(sample, INTERVAL_MS).unref();
  sample();
  return () => {
    clearInterval(timer);
    delays.disable();
  };
}

/** Bytes. Undefined where no descriptor is left: the system has it in a file. */
function residentMemory(): number | undefined {
  try {
    return process.memoryUsage.rss();
  } catch {
    return undefined;
  }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

const RESOLUTION_MS = 20;
const INTERVAL_MS = 10_000;
/** After three missed samples a process counts as gone. */
export const SAMPLE_TIMEOUT_MS = 3 * INTERVAL_MS;
