/** What is read of a session whose TLS is the backend's own, whatever the pieces in which it passes. */
import { test } from 'tap';
import { ConnectionRecord, type ConnectionEvent } from '../../src/observe/connection-record.js';
import { SessionTap } from '../../src/observe/tap/session-tap.js';
import { capturedHellos } from '../support/hellos.js';
import { HELLO_RETRY_REQUEST, serverHelloRecord } from '../support/server-hellos.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const HELLO = hex(capturedHellos().find(({ version }) => version === '0.9.8y')!.hex);
const CLEAR = [
  ['backend', Buffer.from('220 mx.example ESMTP\r\n')],
  ['client', Buffer.from('EHLO old.example\r\n')],
  ['backend', Buffer.from('250-mx.example\r\n250 STARTTLS\r\n')],
  ['client', Buffer.from('STARTTLS\r\n')],
  ['backend', Buffer.from('220 2.0.0 Ready\r\n')],
] as const;
const SERVER_HELLO = serverHelloRecord({ sessionId: 32, suite: 0x002f });
const CHANGE_CIPHER_SPEC = hex('14 03 01 0001 01');

type Turn = readonly ['client' | 'backend', Buffer];

interface Watching {
  readonly mode?: 'starttls' | 'implicit';
  /** Of the pieces in which the bytes come. */
  readonly length?: number;
  readonly closedBy?: 'client' | 'backend';
}

function watch(
  turns: readonly Turn[],
  { mode = 'starttls', length = 10_000, closedBy = 'client' }: Watching = {},
): ConnectionEvent {
  const record = new ConnectionRecord('mx', { address: '192.0.2.1', port: 1 });
  const tap = new SessionTap(record, mode);
  for (const [from, bytes] of turns) {
    for (let at = 0; at < bytes.length; at += length) {
      const piece = Buffer.from(bytes.subarray(at, at + length));
      if (from === 'client') tap.fromClient(piece);
      else tap.fromBackend(piece);
      // The bytes are the relay's, which may use the buffer again.
      piece.fill(0);
    }
  }
  tap.end(closedBy);
  return record.event();
}

test('a handshake is read whole, cut anywhere', async (t) => {
  const turns: Turn[] = [
    ...CLEAR,
    ['client', HELLO],
    ['backend', SERVER_HELLO],
    ['client', CHANGE_CIPHER_SPEC],
    ['backend', CHANGE_CIPHER_SPEC],
    ['client', hex('ffffffff')],
  ];
  for (const length of [1, 3, 10_000]) {
    t.match(watch(turns, { length }), {
      outcome: 'completed',
      smtp: { helo: 'old.example' },
      hello: { format: 'sslv2', version: 'TLSv1' },
      tls: { path: 'passthrough', version: 'TLSv1.2', suite: 'AES128-SHA' },
    });
    t.match(watch(turns.slice(CLEAR.length), { length, mode: 'implicit' }), { tls: { version: 'TLSv1.2' } });
  }
});

test('a HelloRetryRequest is no success, and what comes after it counts', async (t) => {
  const second = hex('16 0301 0004 01 000000');
  const asked: Turn[] = [
    ...CLEAR,
    ['client', HELLO],
    ['backend', Buffer.concat([HELLO_RETRY_REQUEST, CHANGE_CIPHER_SPEC])],
    ['client', Buffer.concat([CHANGE_CIPHER_SPEC, second])],
  ];
  const tls13 = serverHelloRecord({ sessionId: 32, suite: 0x1302, selectedVersion: 0x0304 });
  const data = hex('17 0303 0004 01020304');
  for (const length of [1, 3, 10_000]) {
    t.match(watch(asked, { length }), { outcome: 'passthrough_failed', reason: 'closed_by_client' });
    const alert: Turn = ['backend', hex('15 0303 0002 02 28')];
    t.match(watch([...asked, alert], { length }), {
      outcome: 'alert_from_backend',
      alert: 'handshake_failure',
    });
    const done: Turn[] = [
      ['backend', Buffer.concat([tls13, data])],
      ['client', data],
    ];
    t.match(watch([...asked, ...done], { length }), {
      outcome: 'completed',
      tls: { version: 'TLSv1.3', suite: 'TLS_AES_256_GCM_SHA384' },
    });
  }
});

test('alerts are logged as those of the side that sent them', async (t) => {
  const alert = hex('15 0301 0002 02 28');
  for (const length of [1, 10_000]) {
    const refused = watch([...CLEAR, ['client', HELLO], ['backend', alert]], { length });
    t.match(refused, { outcome: 'alert_from_backend', fault: 'backend', alert: 'handshake_failure' });
    t.match(refused.explanation, /\(handshake_failure\); the client offers at most TLSv1 with /);
    const distrust = [
      ['client', HELLO],
      ['backend', SERVER_HELLO],
      ['client', alert],
    ] as const;
    t.match(watch([...CLEAR, ...distrust], { length }), { outcome: 'alert_from_client', fault: 'client' });
  }
  const warning = hex('15 0301 0002 01 70');
  t.match(watch([...CLEAR, ['client', HELLO], ['backend', warning]]), { outcome: 'passthrough_failed' });
});

test('what ended before TLS began or was finished is named', async (t) => {
  const cases: [readonly Turn[], object][] = [
    [[...CLEAR, ['client', HELLO]], { outcome: 'passthrough_failed', reason: 'closed_by_client' }],
    [CLEAR, { outcome: 'client_gone', reason: 'waiting for client_hello' }],
    [[...CLEAR, ['client', Buffer.from('QUIT\r\n')]], { outcome: 'plaintext' }],
    [CLEAR.slice(0, 3), { outcome: 'plaintext', smtp: { helo: 'old.example' } }],
    [[...CLEAR, ['client', hex('ff'.repeat(20))]], { outcome: 'not_tls', reason: 'garbage' }],
    [[...CLEAR, ['client', hex('16 0301 0004 01 000000')]], { outcome: 'passthrough_failed' }],
    [[], { outcome: 'plaintext' }],
  ];
  for (const [turns, expected] of cases) t.match(watch(turns), expected);
  t.match(watch([], { mode: 'implicit' }), { outcome: 'client_gone', reason: 'waiting for client_hello' });
  const closed = watch([...CLEAR, ['client', HELLO]], { closedBy: 'backend' });
  t.match(closed, { outcome: 'passthrough_failed', reason: 'closed_by_backend' });
});

test('commands are read up to a bound, however short their lines', async (t) => {
  const flood = Buffer.alloc(16_384, '\n');
  const late = Buffer.from('EHLO late.example\r\nSTARTTLS\r\n');
  for (const length of [1, 7, 100_000]) {
    const event = watch([...CLEAR, ['client', flood], ['client', late], ['client', HELLO]], { length });
    t.match(event, { outcome: 'plaintext', smtp: { helo: 'old.example' } });
    t.notOk(event.hello);
    const replies = [...CLEAR, ['client', HELLO], ['backend', flood], ['backend', SERVER_HELLO]] as const;
    t.match(watch(replies, { length }), { outcome: 'passthrough_failed', reason: 'closed_by_client' });
  }
});

test('the content of a message is never taken for a command or a hello', async (t) => {
  const mail = Buffer.concat([Buffer.from('DATA\r\nEHLO inside.example\r\nSTARTTLS\r\n'), HELLO]);
  const event = watch([...CLEAR.slice(0, 3), ['client', mail]]);
  t.match(event, { outcome: 'plaintext', smtp: { helo: 'old.example' } });
  t.notOk(event.hello);
});
