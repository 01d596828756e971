/** Interleaved rounds: every peer has its turn in each, so that a machine that drifts drifts for all. */
import type { Row } from './results.js';

export type Sample = Readonly<Record<string, number>>;

/** Why a peer cannot do what is measured. */
export interface Unable {
  readonly unable: string;
}

export interface Contender {
  readonly name: string;
  /** What comes before the first round. */
  readonly prepare?: () => Promise<unknown>;
  readonly measure: () => Promise<Sample | Unable>;
}

export interface Outcome {
  readonly rows: readonly Row[];
  readonly unable: readonly { readonly name: string; readonly why: string }[];
}

export interface Plan {
  readonly rounds: number;
  /** Rounds that are played first and do not count. */
  readonly warmUps: number;
}

export async function interleave(
  title: string,
  contenders: readonly Contender[],
  { rounds, warmUps }: Plan,
): Promise<Outcome> {
  const figures = new Map<string, Record<string, number[]>>();
  const unable: { name: string; why: string }[] = [];
  for (const { prepare } of contenders) await prepare?.();
  for (let round = 1 - warmUps; round <= rounds; round += 1) {
    process.stderr.write(`${title}: ${round <= 0 ? 'warm-up' : `round ${round} of ${rounds}`}\n`);
    for (const { name, measure } of contenders) {
      if (unable.some((one) => one.name === name)) continue;
      const sample = await measure().catch((error: unknown): Unable => ({
        unable: (error as Error).message,
      }));
      if ('unable' in sample) {
        process.stderr.write(`  ${name}: ${sample.unable}\n`);
        unable.push({ name, why: String(sample.unable) });
      } else if (round > 0) record(figures, name, sample);
    }
  }
  return {
    rows: [...figures]
      .map(([name, values]) => ({ name, figures: values }))
      .filter(({ name }) => !unable.some((one) => one.name === name)),
    unable,
  };
}

function record(figures: Map<string, Record<string, number[]>>, name: string, sample: Sample): void {
  const row = figures.get(name) ?? {};
  figures.set(name, row);
  for (const [key, value] of Object.entries(sample)) (row[key] ??= []).push(value);
}
