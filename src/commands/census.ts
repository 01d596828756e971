/** `oldhello census`: senders of old hellos, from captures of their traffic. */
import { CaptureError } from '../capture/capture-format.js';
import { readCaptures } from '../census/read-captures.js';
import { Progress } from '../report/progress.js';
import type { ReadReport } from '../report/read-report.js';
import { STANDARD_INPUT, totalSize } from '../report/source.js';
import { InputError, UsageError, type Arguments, type Command } from './command.js';
import {
  REPORT_OPTIONS,
  REPORT_OPTIONS_USAGE,
  reportOptions,
  showReport,
  type ReportOptions,
} from './report-output.js';

export const census: Command = {
  summary: 'show from a packet capture which clients use old hellos',
  usage: `oldhello census FILE... [options]

Reads captures in pcap or pcapng format and shows which clients open TLS with old hellos,
after STARTTLS or from the first byte, and which would break if something old were
switched off. The tables are those of \`oldhello report\`. Nothing needs to be deployed.
A FILE may be compressed with gzip; - is standard input.

  --port N[,N...] only connections to these ports, such as 25,465,587 (all)
${REPORT_OPTIONS_USAGE}

  tcpdump -i any -s 0 -w mail.pcap 'tcp port 25'
  oldhello census mail.pcap --port 25
  tcpdump -i any -s 0 -U -w - 'tcp port 25' | oldhello census -`,
  options: { ...REPORT_OPTIONS, port: { type: 'string' } },
  allowPositionals: true,
  run({ values, positionals }) {
    const options = reportOptions(values);
    const ports = portsOf(values);
    if (positionals.length === 0)
      throw new UsageError('census needs a capture: a file, or - for standard input');
    if (positionals.includes(STANDARD_INPUT) && process.stdin.isTTY) {
      throw new UsageError('standard input is a terminal; pipe a capture into census');
    }
    // Ctrl-C ends tcpdump in front of the pipe, and only then is the capture complete. A second one ends census.
    if (positionals.includes(STANDARD_INPUT)) process.once('SIGINT', () => undefined);
    return showReport(readFiles(positionals, options, ports), options);
  },
};

async function readFiles(
  paths: readonly string[],
  { period }: ReportOptions,
  ports: ReadonlySet<number>,
): Promise<ReadReport> {
  const bar = new Progress(process.stderr, await totalSize(paths));
  try {
    return await readCaptures(paths, { period, ports, progress: (bytes) => bar.add(bytes) });
  } catch (error) {
    throw error instanceof CaptureError ? new InputError(error.message) : error;
  } finally {
    bar.end();
  }
}

/** @throws UsageError */
function portsOf({ port }: Arguments['values']): Set<number> {
  if (typeof port !== 'string') return new Set();
  const ports = port.split(',').map((text) => (/^\d{1,5}$/.test(text) ? Number(text) : NaN));
  if (!ports.every((number) => number >= 1 && number <= 65_535)) {
    throw new UsageError('--port takes port numbers from 1 to 65535, separated by commas');
  }
  return new Set(ports);
}
