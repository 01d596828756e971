/** The log: what is written of what is reported. */
import { assert, property, string } from 'fast-check';
import { test } from 'tap';
import { createLog, type WrittenLog } from '../../src/observe/log.js';
import { sanitizePeerText } from '../../src/observe/sanitize.js';
import { makeConnection } from '../support/status-fixture.js';

type Line = Readonly<Record<string, unknown>>;

function openLog(level: 'debug' | 'info' | 'warn', repeatLimit: number): { log: WrittenLog; lines: Line[] } {
  const lines: Line[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line);
  return { log: createLog({ level, repeatLimit, write }), lines };
}

const failed = (address: string, reason: string): ReturnType<typeof makeConnection> =>
  makeConnection(address, { tls: undefined, outcome: 'handshake_refused', fault: 'client', reason });

test('subscribers receive events that are not written', async (t) => {
  const { log, lines } = openLog('warn', 0);
  const heard: string[] = [];
  log.subscribe(({ event }) => heard.push(event));
  log.log('connection_closed', makeConnection('192.0.2.1'));
  t.same(heard, ['connection_closed']);
  t.same(lines, []);
});

test('of a flood of one failure from one network the first are written, and the rest is one line', async (t) => {
  const { log, lines } = openLog('info', 3);
  const heard: string[] = [];
  log.subscribe(({ event }) => heard.push(event));
  for (let one = 1; one <= 20; one++)
    log.log('connection_closed', failed(`192.0.2.${one}`, 'no_shared_version'), 'warn');
  log.log('connection_closed', failed('192.0.2.1', 'no_shared_cipher_suite'), 'warn');
  log.log('connection_closed', failed('198.51.100.1', 'no_shared_version'), 'warn');
  log.log('connection_closed', makeConnection('192.0.2.1'));
  t.equal(lines.length, 6, 'another reason, another network and a success are not held back');
  t.equal(heard.length, 23, 'and nothing is kept from subscribers');
  log.flush();
  t.match(lines.slice(6), [
    {
      event: 'repeated',
      level: 'warn',
      network: '192.0.2.0/24',
      outcome: 'handshake_refused',
      reason: 'no_shared_version',
      count: 17,
    },
  ]);
});

test('a flood of connections without a word does not fill the log, and mail in clear keeps its lines', async (t) => {
  const { log, lines } = openLog('info', 2);
  const inClear = (fromClient: number): ReturnType<typeof makeConnection> =>
    makeConnection('192.0.2.1', {
      hello: undefined,
      tls: undefined,
      outcome: 'plaintext',
      bytes: { fromClient, toClient: 30 },
    });
  for (let one = 0; one < 20; one++) {
    log.log('connection_closed', inClear(0));
    log.log('connection_closed', inClear('QUIT\r\n'.length));
    log.log('connection_closed', makeConnection('198.51.100.1', { outcome: 'left_after_handshake' }));
  }
  t.equal(lines.length, 4);
  for (let one = 0; one < 20; one++) log.log('connection_closed', inClear(2000));
  t.equal(lines.length, 24);
  log.flush();
  t.match(lines.slice(24), [
    { event: 'repeated', level: 'info', network: '192.0.2.0/24', outcome: 'plaintext', count: 38 },
    {
      event: 'repeated',
      level: 'info',
      network: '198.51.100.0/24',
      outcome: 'left_after_handshake',
      count: 18,
    },
  ]);
});

test('thousands of networks that fail at once do not pile up', async (t) => {
  const { log, lines } = openLog('info', 1);
  for (const round of [1, 2]) {
    for (let network = 0; network < 6000; network++) {
      log.log(
        'connection_closed',
        failed(`10.${network >> 8}.${network & 255}.${round}`, 'no_shared_version'),
        'warn',
      );
    }
  }
  t.equal(lines.length, 12_000, 'where there are too many to remember, they are written again');
});

test('whatever a peer sends, it is logged as one line of printable ASCII without control characters', async (t) => {
  assert(
    property(string({ unit: 'binary', maxLength: 600 }), (text) => {
      const escaped = sanitizePeerText(text);
      if (!/^[\x20-\x7e]*$/.test(escaped)) throw new Error(`${JSON.stringify(text)} became ${escaped}`);
      if (/["<]/.test(escaped.replaceAll('<', ''))) throw new Error(escaped);
      if (escaped.length > 255 * 6) throw new Error('too long');
    }),
  );
  t.equal(sanitizePeerText('a\u001b[31m"b\\c\r\nd\u202e'), 'a\\x1b[31m\\x22b\\x5cc\\x0d\\x0ad\\x202e');
});
