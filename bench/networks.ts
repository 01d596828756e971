/**
 * What it takes to find out whether a client is in a list of networks, and what the list takes to be made, for lists of
 * any length. Only the ratio to the shortest list says something: other programs may run beside this one.
 *
 * npm run bench:networks
 */
import { NetworkSet } from '../src/policy/networks.js';

/** Every second /24 or /48, so that none can be joined with its neighbour. */
function networks(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const at = index - (index % 2);
    return index % 2 === 0
      ? `${at >> 16}.${(at >> 8) & 255}.${at & 255}.0/24`
      : `2001:${(at >> 16).toString(16)}:${(at & 0xffff).toString(16)}::/48`;
  });
}

/** Half of them are in the lists. */
const CLIENTS = networks(20).flatMap((network) => {
  const base = network.split('/')[0]!;
  return [base.replace(/0$|::$/, (end) => `${end}9`), base.includes(':') ? '2a00::1' : '240.0.0.1'];
});

/** Processor time, not time. */
function microseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function lookUps(set: NetworkSet): void {
  for (let turn = 0; turn < TURNS; turn += 1) for (const client of CLIENTS) set.has(client);
}

const TURNS = 5_000;
const SIZES = [10, 1_000, 100_000, 400_000];
const ROUNDS = 5;

const sets = SIZES.map((size) => {
  const written = networks(size);
  let set: NetworkSet | undefined;
  const making = microseconds(() => (set = NetworkSet.of(written)));
  return { size, making, set: set!, times: [] as number[] };
});
lookUps(sets[0]!.set);
for (let round = 0; round < ROUNDS; round += 1) {
  for (const { set, times } of sets) times.push(microseconds(() => lookUps(set)) / (TURNS * CLIENTS.length));
}
const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[ROUNDS >> 1]!;
const shortest = median(sets[0]!.times);
const row = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(14)).join('');
console.log(row(['networks', 'look-up us', `to ${SIZES[0]}`, 'made in ms', 'bytes each']));
for (const { size, making, set, times } of sets) {
  const time = median(times);
  const bytes = set.bytes.length / size;
  console.log(
    row([
      String(size),
      time.toFixed(2),
      (time / shortest).toFixed(2),
      (making / 1000).toFixed(0),
      String(bytes),
    ]),
  );
}
