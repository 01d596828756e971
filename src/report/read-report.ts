/** From logs to a report: reads every file once, line by line, in memory that does not grow. */
import { Lines } from './lines.js';
import { LogReader } from './log-reader.js';
import { readSource } from './source.js';
import { Tally, type Period, type Report } from './tally.js';

export interface ReadReport {
  readonly report: Report;
  /** By path: what was wrong with a compressed file, whose readable part was counted. */
  readonly damaged: readonly { readonly path: string; readonly why: string }[];
}

/**
 * @param progress gets the bytes of each chunk, as they are on disk
 * @throws SourceError, for a file that cannot be read
 */
export async function readReport(
  paths: readonly string[],
  period: Period,
  progress: (bytes: number) => void,
): Promise<ReadReport> {
  const tally = new Tally(period);
  const damaged: { path: string; why: string }[] = [];
  let tooLong = 0;
  for (const path of paths) {
    const reader = new LogReader();
    const lines = new Lines((line) => tally.add(reader.read(line)));
    const why = await readSource(path, { take: (bytes) => lines.push(bytes), read: progress });
    lines.end();
    tooLong += lines.tooLong;
    if (why !== undefined) damaged.push({ path, why });
  }
  return { report: tally.report(tooLong), damaged };
}
