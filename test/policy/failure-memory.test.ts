/** Which addresses are remembered as hopeless, for how long, and how many at most. */
import { test } from 'tap';
import { FailureMemory } from '../../src/policy/failure-memory.js';

const MINUTE = 60_000;
const AFTER_THREE = { after: 3, lifetime: 60 * MINUTE };

/** A memory, and the clock it looks at. */
function start(): { memory: FailureMemory; clock: { now: number } } {
  const clock = { now: 0 };
  return { memory: new FailureMemory(() => clock.now), clock };
}

test('an address is hopeless after so many failures, which is told once', async (t) => {
  const { memory } = start();
  t.same(
    [1, 2, 3, 4].map(() => memory.failed('192.0.2.1', AFTER_THREE)),
    [false, false, true, false],
  );
  t.equal(memory.isHopeless('192.0.2.1', AFTER_THREE), true);
  t.equal(memory.isHopeless('192.0.2.2', AFTER_THREE), false, 'others are not');
});

test('a handshake that succeeds is where counting begins anew', async (t) => {
  const { memory } = start();
  for (const one of [1, 2]) t.equal(memory.failed('192.0.2.1', AFTER_THREE), false, `failure ${one}`);
  memory.succeeded('192.0.2.1');
  for (const one of [1, 2])
    t.equal(memory.failed('192.0.2.1', AFTER_THREE), false, `failure ${one} after it`);
  t.equal(memory.failed('192.0.2.1', AFTER_THREE), true);
  memory.succeeded('192.0.2.1');
  t.equal(memory.isHopeless('192.0.2.1', AFTER_THREE), false, 'even where it was hopeless');
});

test('time heals, counted from the last failure', async (t) => {
  const { memory, clock } = start();
  for (const at of [0, 10, 20]) {
    clock.now = at * MINUTE;
    memory.failed('192.0.2.1', AFTER_THREE);
  }
  t.same(memory.list(AFTER_THREE), [{ address: '192.0.2.1', failures: 3, remaining: 60 * MINUTE }]);
  clock.now = 79 * MINUTE;
  t.equal(memory.isHopeless('192.0.2.1', AFTER_THREE), true);
  clock.now = 80 * MINUTE;
  t.equal(memory.isHopeless('192.0.2.1', AFTER_THREE), false);
  t.same(memory.list(AFTER_THREE), []);
});

test('with 0 failures allowed to count, nobody ever is', async (t) => {
  const { memory } = start();
  const never = { after: 0, lifetime: MINUTE };
  for (const one of [1, 2, 3]) t.equal(memory.failed('192.0.2.1', never), false, `failure ${one}`);
  t.equal(memory.isHopeless('192.0.2.1', never), false);
});

test('ten thousand addresses are remembered, and then those that failed longest ago are forgotten', async (t) => {
  const { memory } = start();
  const once = { after: 1, lifetime: MINUTE };
  for (let number = 0; number < 10_000; number += 1) memory.failed(`client ${number}`, once);
  memory.failed('client 0', once);
  memory.failed('one more', once);
  t.equal(memory.list(once).length, 10_000);
  t.equal(memory.isHopeless('client 1', once), false, 'the oldest');
  t.equal(memory.isHopeless('client 0', once), true, 'which is not the first, for that failed again');
});
