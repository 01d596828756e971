/** `oldhello report`: senders of old hellos, from the logs. */
import { Progress } from '../report/progress.js';
import { readReport, type ReadReport } from '../report/read-report.js';
import { STANDARD_INPUT, totalSize } from '../report/source.js';
import type { Command } from './command.js';
import {
  REPORT_OPTIONS,
  REPORT_OPTIONS_USAGE,
  reportOptions,
  showReport,
  type ReportOptions,
} from './report-output.js';

export const report: Command = {
  summary: 'show from the logs which senders still use old hellos',
  usage: `oldhello report [FILE...] [options]

Reads logs of oldhello and shows which senders use old hellos, whether there are fewer
of them, and which would break if something old were switched off. A FILE holds lines as oldhello
writes them, or as \`journalctl -o json\` does; it may be compressed with gzip. Without
FILE, or with -, standard input is read. Times are in UTC.

${REPORT_OPTIONS_USAGE}

  journalctl -u oldhello -o json | oldhello report --days 30`,
  options: REPORT_OPTIONS,
  allowPositionals: true,
  run({ values, positionals }) {
    const options = reportOptions(values);
    const paths = positionals.length === 0 ? [STANDARD_INPUT] : positionals;
    return showReport(readLogs(paths, options), options);
  },
};

async function readLogs(paths: readonly string[], { period }: ReportOptions): Promise<ReadReport> {
  const progress = new Progress(process.stderr, await totalSize(paths));
  return readReport(paths, period, (bytes) => progress.add(bytes)).finally(() => progress.end());
}
