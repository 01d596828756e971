/** A connection that has ended leaves nothing for the full garbage collection. */
import { test } from 'tap';
import { LiveSet } from '../../src/proxy/live-set.js';
import { bytesLeft } from '../support/short-collections.js';

test('a connection that has ended is gone with the next short collection', async (t) => {
  const roster = new LiveSet<object>();
  const leave: (() => void)[] = [];
  const left = await bytesLeft(() => {
    leave.push(roster.enter({ belongings: new Array(500).fill(0) }));
    if (leave.length > 4) leave.shift()!();
  });
  t.ok(left < 1000, `${left} bytes of 4000`);
});
