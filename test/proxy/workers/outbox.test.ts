import { setImmediate } from 'node:timers/promises';
import { test } from 'tap';
import { Outbox } from '../../../src/proxy/workers/outbox.js';

/** An outbox of numbers, what left it, and the next time that something does. */
function start(): { outbox: Outbox<number>; sent: number[][]; next: () => Promise<void> } {
  const sent: number[][] = [];
  let left = (): void => undefined;
  const outbox = new Outbox<number>((messages) => {
    sent.push([...messages]);
    left();
  });
  return { outbox, sent, next: () => new Promise((resolve) => (left = resolve)) };
}

test('what is put in gathers, and leaves in its order', async (t) => {
  const { outbox, sent, next } = start();
  for (const message of [1, 2, 3]) outbox.put(message);
  t.same(sent, []);
  await next();
  t.same(sent, [[1, 2, 3]]);
  outbox.put(4);
  await next();
  t.same(sent, [[1, 2, 3], [4]]);
});

test('what is to leave soon takes along what came before it, and does not wait', async (t) => {
  const { outbox, sent } = start();
  outbox.put(1);
  outbox.putSoon(2);
  outbox.putSoon(3);
  outbox.put(4);
  t.same(sent, []);
  await setImmediate();
  t.same(sent, [[1, 2, 3, 4]]);
});

test('a flush leaves nothing, and nothing is sent twice', async (t) => {
  const { outbox, sent, next } = start();
  outbox.putSoon(1);
  outbox.put(2);
  outbox.flush();
  outbox.flush();
  t.same(sent, [[1, 2]]);
  await setImmediate();
  outbox.put(3);
  await next();
  t.same(sent, [[1, 2], [3]]);
});

test('no more gather than can be sent at once', (t) => {
  const { outbox, sent } = start();
  for (let message = 0; message < 250; message += 1) outbox.put(message);
  t.same(
    sent.map((messages) => messages.length),
    [100, 100],
  );
  outbox.flush();
  t.same(
    sent.flat(),
    Array.from({ length: 250 }, (_, message) => message),
  );
  t.end();
});
