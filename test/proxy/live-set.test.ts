/** The list of those who are here. */
import { test } from 'tap';
import { LiveSet } from '../../src/proxy/live-set.js';

test('every live member is in it, in whatever order they come and go', async (t) => {
  const roster = new LiveSet<number>();
  const leave = new Map<number, () => void>();
  const here = new Set<number>();
  for (let turn = 0; turn < 500; turn += 1) {
    if (turn % 5 < 3) {
      leave.set(turn, roster.enter(turn));
      here.add(turn);
    } else {
      const who = [...here][(turn * 7) % here.size]!;
      leave.get(who)!();
      here.delete(who);
    }
    t.same(new Set(roster), here);
    t.equal(roster.size, here.size);
  }
});

test('those who leave while it is gone through are met all the same', async (t) => {
  const roster = new LiveSet<string>();
  const leave = ['a', 'b', 'c'].map((name) => roster.enter(name));
  const met: string[] = [];
  for (const name of roster) {
    met.push(name);
    for (const one of leave.splice(0)) one();
  }
  t.same(met, ['a', 'b', 'c']);
  t.equal(roster.size, 0);
});
