/**
 * Which TCP sockets a program holds, as Linux lists them, by inode: a count would miss one that opens while another
 * closes. The Unix sockets to its worker processes do not count.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
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
  const tcp = tcpInodes(pid);
  return new Set(links.filter((link) => tcp.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? 'no socket')));
}

/** The tenth column of each line (proc_net(5)). A socket that is not bound yet has no line. */
function tcpInodes(pid: number): ReadonlySet<string> {
  const lines = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'latin1').split('\n').slice(1),
  );
  return new Set(lines.map((line) => line.trim().split(/\s+/)[9] ?? ''));
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
  const deadline = performance.now() + TIMEOUT_MS;
  while (!reached()) {
    if (performance.now() > deadline) throw new Error(`${otherwise} within ${TIMEOUT_MS} ms`);
    await pause(5);
  }
}

/** Milliseconds: far beyond what a loaded machine needs. */
const TIMEOUT_MS = 20_000;
