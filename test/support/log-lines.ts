/** Lines of a log as oldhello writes them, for tests that read logs. */
import { ConnectionRecord } from '../../src/observe/connection-record.js';
import { eventSentence } from '../../src/observe/sentence.js';
import { readHello } from './hellos.js';
import type { HelloOptions } from './test-client.js';

export interface LoggedAs {
  readonly time?: string;
  readonly address?: string;
  readonly helo?: string;
  readonly hello?: HelloOptions;
  /** What was agreed; undefined for a handshake that was refused. */
  readonly tls?: { readonly version: string; readonly suite: string };
}

/** SSLv3 with RC4 in an SSLv2-format hello. */
export const OLDEST: HelloOptions = { format: 'sslv2', version: 0x0300, suites: [4, 5, 0x010080] };

/** A `connection_closed` line made by the program's own record, so that it has the shape the program gives it. */
export function connectionLine(as: LoggedAs = {}): string {
  const { time = '2026-11-01T08:00:00.000Z', address = '192.0.2.1', helo, hello, tls } = as;
  const record = new ConnectionRecord('mx', { address, port: 25 });
  record.setHelo(helo);
  if (hello !== undefined) record.setHello(readHello(hello));
  if (tls !== undefined) record.established({ path: 'engine', keyExchange: 'RSA', resumed: false, ...tls });
  else if (hello !== undefined)
    record.recordFailure({ outcome: 'handshake_refused', reason: 'no_shared_version' });
  const fields = record.event();
  const msg = eventSentence({ event: 'connection_closed', fields, level: 'info' });
  return JSON.stringify({ level: 'info', time, event: 'connection_closed', ...fields, msg });
}
