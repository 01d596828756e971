/**
 * Which sockets a program holds, from Linux's own books. Told apart by their inodes: a count would not notice one that
 * opens while another closes.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

export type OpenSockets = ReadonlySet<string>;

export function openSockets(pid: number): OpenSockets {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ''; // closed since
    }
  });
  return new Set(links.filter((link) => link.startsWith('socket:')));
}

/** Waits until the program holds a socket that it did not hold before. @throws when none comes */
export async function untilAnotherSocket(pid: number, before: OpenSockets): Promise<void> {
  await until(() => newcomers(pid, before).length > 0, 'no other socket was opened');
}

/** Waits until nothing is open that was not open before; the last socket closes a moment after its log line. @throws */
export async function untilNoOtherSocket(pid: number, before: OpenSockets): Promise<void> {
  await until(() => newcomers(pid, before).length === 0, 'a socket was left behind');
}

function newcomers(pid: number, before: OpenSockets): string[] {
  return [...openSockets(pid)].filter((socket) => !before.has(socket));
}

async function until(reached: () => boolean, otherwise: string): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!reached()) {
    if (performance.now() > deadline) throw new Error(`${otherwise} within ${PATIENCE} ms`);
    await pause(5);
  }
}

/** Milliseconds: far beyond what a loaded machine needs. */
const PATIENCE = 20_000;
