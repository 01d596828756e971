/** The senders as CSV (RFC 4180), for spreadsheets. */
import type { Report } from './tally.js';

export function csvView({ senders }: Report): string {
  const rows = senders.map((sender) => [
    sender.address,
    sender.helo ?? '',
    sender.format,
    sender.version,
    sender.tls?.version ?? '',
    sender.tls?.suite ?? '',
    sender.library,
    sender.fingerprint,
    sender.needs.join(' '),
    String(sender.connections),
    String(sender.failed),
    sender.outcome,
    sender.first,
    sender.last,
  ]);
  return [HEADER, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** A spreadsheet runs a cell that begins like this as a formula, and senders choose their own names. */
function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

const HEADER = [
  'address',
  'helo',
  'format',
  'offers up to',
  'version',
  'suite',
  'library',
  'fingerprint',
  'needs',
  'connections',
  'failed',
  'last outcome',
  'first seen',
  'last seen',
];
