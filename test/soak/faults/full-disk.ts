import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { TIMEOUT_SECONDS, type Fault } from '../fault.js';
import { LOG_FILE } from '../log-disk.js';
import { within } from '../within.js';

export const fullDisk: Fault = {
  name: 'a full disk for the log',
  does: 'the file system that takes the log is filled to the last byte, then emptied',
  holds: 'mail flows meanwhile, and the lines that had no room are written when there is room',
  async run({ disk, mailFlows }) {
    if (disk === undefined) return 'NOT RUN: needs unshare and the right to mount a tmpfs';
    const size = (): number => statSync(join(disk, LOG_FILE)).size;
    const ballast = join(disk, 'ballast');
    fill(ballast);
    const full = size();
    for (let turn = 0; turn < TURNS; turn += 1) await mailFlows();
    const grown = size() - full;
    if (grown > SLACK_BYTES) throw new Error(`the disk was not full: the log grew by ${grown} bytes`);
    rmSync(ballast);
    await within(TIMEOUT_SECONDS, 'the log is written again', grows(size, full + grown));
    return `full at a log of ${full} bytes`;
  },
};

function fill(file: string): void {
  const fd = openSync(file, 'w');
  try {
    for (let bytes = CHUNK; bytes >= 1; bytes >>= 1) {
      try {
        while (true) writeSync(fd, Buffer.alloc(bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(fd);
  }
}

async function grows(size: () => number, beyond: number): Promise<void> {
  while (size() <= beyond) await pause(100);
}

/** How often mail must flow on the full disk. */
const TURNS = 5;
/** Bytes of a first write. */
const CHUNK = 1 << 20;
/** What is left of the last page of the log itself. */
const SLACK_BYTES = 4096;
