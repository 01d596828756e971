/** How many bytes of TLS records a modern client may send beside its data. */
import { test } from 'tap';
import { isExcessive } from '../../../src/proxy/termination/tls-overhead.js';

const KIB = 1024;
/** A TLS 1.3 record that is padded to its full length. */
const PADDED_RECORD = 16 * KIB + 22;
const KEY_UPDATE_RECORD = 27;
const COMMAND = 'RCPT TO:<someone@example.com>\r\n'.length;

test('a client that pads each of its commands to a full record stays connected', async (t) => {
  for (const commands of [1, 10, 60]) {
    t.notOk(isExcessive(commands * PADDED_RECORD, commands * COMMAND), `${commands} commands`);
  }
  const mail = 100 * KIB;
  t.notOk(isExcessive(1000 * PADDED_RECORD + mail * 2, 1000 * COMMAND + 100 * mail), '250 messages');
});

test('a client that sends one byte a record stays connected', async (t) => {
  t.notOk(isExcessive(100_000_000 * 30, 100_000_000));
});

test('a client that sends key updates without end is cut', async (t) => {
  t.notOk(isExcessive(30_000 * KEY_UPDATE_RECORD, COMMAND));
  t.ok(isExcessive(60_000 * KEY_UPDATE_RECORD, COMMAND));
});
