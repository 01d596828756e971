/** All that one run found, as it stands in its JSON file, and what a page says of it. */
import type { Machine } from './machine.js';
import { OURS, render, type Comparison } from './results.js';
import { ratio } from './statistics.js';
import { table } from './table.js';

export interface Report {
  readonly machine: Machine;
  readonly options: {
    readonly rounds: number;
    readonly milliseconds: number;
    readonly quick: boolean;
  };
  /** Peers that were not here, and what they lack. */
  readonly absent: Readonly<Record<string, string>>;
  readonly results: readonly {
    readonly scenario: string;
    /** What it measures. */
    readonly what: string;
    readonly comparisons: readonly Comparison[];
  }[];
}

/** Figures to as many digits as mean something. */
export function toJson(report: Report): string {
  const shorten = (_key: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(DIGITS)) : value;
  return `${JSON.stringify(report, shorten, 1)}\n`;
}

/** The conditions of the run, one a line. */
export function conditions({ machine, options, absent }: Report): string {
  const { date, cpu, cores, memoryGiB, kernel, versions } = machine;
  const programs = Object.entries(versions).map(([program, version]) => `${program} ${version}`);
  return [
    `- ${date.slice(0, 10)}; ${cores} cores of ${cpu}, ${memoryGiB} GiB, Linux ${kernel}`,
    `- ${programs.join(', ')}`,
    `- ${options.rounds} rounds, ${options.milliseconds} ms of load for each server and round`,
    ...Object.entries(absent).map(([name, lack]) => `- without ${name}: ${lack}`),
    ...(options.quick ? ['- **a smoke run: these figures are no measure of anything**'] : []),
  ].join('\n');
}

/** The median of every ratio, a comparison a line and a peer a column. */
export function ratios({ results }: Report): string {
  const comparisons = results.flatMap((result) => result.comparisons);
  const names = [...new Set(comparisons.flatMap(({ rows }) => rows.map(({ name }) => name)))];
  const peers = names.filter((name) => name !== OURS);
  const rows = comparisons.map((comparison) => [
    comparison.title,
    comparison.compared.better,
    ...peers.map((peer) => quotient(comparison, peer)),
  ]);
  return table(['oldhello to it', 'good', ...peers], rows);
}

function quotient({ rows, compared: { key } }: Comparison, peer: string): string {
  const [ours, theirs] = [OURS, peer].map((wanted) => rows.find(({ name }) => name === wanted)?.figures[key]);
  return ours === undefined || theirs === undefined ? '' : ratio(ours, theirs).median.toFixed(2);
}

/** Every table, by scenario. */
export function tables({ results }: Report): string {
  return results
    .map(({ scenario, what, comparisons }) =>
      [`## ${scenario}`, what, ...comparisons.map(render)].join('\n\n'),
    )
    .join('\n\n');
}

const DIGITS = 5;
