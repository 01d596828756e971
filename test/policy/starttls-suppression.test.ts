/** Which addresses are not offered STARTTLS, for how long, and how many are remembered. */
import { test } from 'tap';
import { StarttlsSuppression } from '../../src/policy/starttls-suppression.js';

const MINUTE_MS = 60_000;
const AFTER_THREE = { after: 3, lifetimeMs: 60 * MINUTE_MS };
const CLIENT = '192.0.2.1';
const HELLO = 'a hello';

function start(): { memory: StarttlsSuppression; clock: { now: number } } {
  const clock = { now: 0 };
  return { memory: new StarttlsSuppression(() => clock.now), clock };
}

test('STARTTLS is suppressed after so many failures of the same hello, which is reported once', async (t) => {
  const { memory } = start();
  t.same(
    [1, 2, 3, 4].map(() => memory.recordFailure(CLIENT, HELLO, AFTER_THREE)),
    [false, false, true, false],
  );
  t.equal(memory.isSuppressed(CLIENT, AFTER_THREE), true);
  t.equal(memory.isSuppressed('192.0.2.2', AFTER_THREE), false, 'not for other addresses');
});

test('a scanner, whose every hello is another, is still offered STARTTLS', async (t) => {
  const { memory } = start();
  for (let probe = 0; probe < 20; probe += 1) memory.recordFailure(CLIENT, `hello ${probe}`, AFTER_THREE);
  t.equal(memory.isSuppressed(CLIENT, AFTER_THREE), false);
});

test('another hello between starts the count again', async (t) => {
  const { memory } = start();
  for (const hello of ['a', 'a', 'b', 'a', 'a'])
    t.equal(memory.recordFailure(CLIENT, hello, AFTER_THREE), false, hello);
  t.equal(memory.recordFailure(CLIENT, 'a', AFTER_THREE), true);
});

test('a handshake that succeeds clears the failures of its address', async (t) => {
  const { memory } = start();
  for (let failure = 0; failure < 3; failure += 1) memory.recordFailure(CLIENT, HELLO, AFTER_THREE);
  memory.recordSuccess(CLIENT, AFTER_THREE);
  t.equal(memory.isSuppressed(CLIENT, AFTER_THREE), false);
});

test('one client of an address does not take STARTTLS from another one that succeeds', async (t) => {
  const { memory, clock } = start();
  memory.recordSuccess(CLIENT, AFTER_THREE);
  for (let failure = 0; failure < 20; failure += 1) memory.recordFailure(CLIENT, HELLO, AFTER_THREE);
  t.equal(memory.isSuppressed(CLIENT, AFTER_THREE), false);
  clock.now = 61 * MINUTE_MS;
  for (let failure = 0; failure < 3; failure += 1) memory.recordFailure(CLIENT, HELLO, AFTER_THREE);
  t.equal(memory.isSuppressed(CLIENT, AFTER_THREE), true, 'once that success is old, failures count');
});

test('suppression ends by itself, counted from the last failure', async (t) => {
  const { memory, clock } = start();
  for (const at of [0, 10, 20]) {
    clock.now = at * MINUTE_MS;
    memory.recordFailure(CLIENT, HELLO, AFTER_THREE);
  }
  clock.now = 79 * MINUTE_MS;
  t.equal(memory.isSuppressed(CLIENT, AFTER_THREE), true);
  clock.now = 80 * MINUTE_MS;
  t.equal(memory.isSuppressed(CLIENT, AFTER_THREE), false);
  t.equal(memory.size, 0);
});

test('with 0 it is never suppressed, and nothing is remembered', async (t) => {
  const { memory } = start();
  const never = { after: 0, lifetimeMs: MINUTE_MS };
  memory.recordSuccess('192.0.2.2', never);
  for (const one of [1, 2, 3]) t.equal(memory.recordFailure(CLIENT, HELLO, never), false, `failure ${one}`);
  t.equal(memory.isSuppressed(CLIENT, never), false);
  t.equal(memory.size, 0);
});

test('ten thousand addresses are remembered; the one with the oldest handshake is forgotten first', async (t) => {
  const { memory } = start();
  const once = { after: 1, lifetimeMs: MINUTE_MS };
  for (let number = 0; number < 10_000; number += 1) memory.recordFailure(`client ${number}`, HELLO, once);
  memory.recordFailure('client 0', HELLO, once);
  memory.recordFailure('one more', HELLO, once);
  t.equal(memory.size, 10_000);
  t.equal(memory.isSuppressed('client 1', once), false, 'the oldest');
  t.equal(memory.isSuppressed('client 0', once), true, 'which is not the oldest, for that failed again');
});
