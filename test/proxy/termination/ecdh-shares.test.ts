/** Key pairs made ahead: each given out once, few at a time, none older than a minute. */
import { test } from 'tap';
import { NamedGroup } from '../../../src/tls/index.js';
import { EcdhShares } from '../../../src/proxy/termination/ecdh-shares.js';

/** A host whose clock and idle turns the test sets. */
function host() {
  let time = 0;
  const idle: (() => void)[] = [];
  let timers: { at: number; action: () => void }[] = [];
  return {
    now: () => time,
    whenIdle: (action: () => void) => void idle.push(action),
    later: (action: () => void, milliseconds: number) =>
      void timers.push({ at: time + milliseconds, action }),
    /** @returns how many turns it took until nothing was left to do */
    settle(): number {
      let turns = 0;
      for (; idle.length > 0; turns += 1) idle.splice(0).forEach((action) => action());
      return turns;
    },
    advance(milliseconds: number): void {
      time += milliseconds;
      const due = timers.filter(({ at }) => at <= time);
      timers = timers.filter(({ at }) => at > time);
      due.forEach(({ action }) => action());
    },
    get timers() {
      return timers.length;
    },
  };
}

const GROUPS = [NamedGroup.x25519, NamedGroup.secp256r1, NamedGroup.secp384r1] as const;

test('no share is given out twice, whether it was made ahead or not', async (t) => {
  const turns = host();
  const shares = new EcdhShares(turns);
  const points = new Set<string>();
  for (let round = 0; round < 10; round += 1) {
    for (const group of GROUPS) {
      for (let n = 0; n < 3; n += 1) points.add(shares.take(group).publicPoint.toString('hex'));
    }
    turns.settle();
  }
  t.equal(points.size, 90);
});

test('shares are made one an idle turn, and few', async (t) => {
  const turns = host();
  const shares = new EcdhShares(turns);
  shares.take(NamedGroup.x25519);
  t.equal(turns.settle(), 8);
  shares.take(NamedGroup.x25519);
  t.equal(turns.settle(), 1, 'what was taken is made again');
});

test('a share that nobody took within a minute is thrown away', async (t) => {
  const turns = host();
  const shares = new EcdhShares(turns);
  shares.take(NamedGroup.x25519);
  turns.settle();
  turns.advance(60_000);
  t.equal(turns.timers, 0, 'and nothing is left to wait for');
  t.equal(turns.settle(), 0, 'nor made again unasked');
  shares.take(NamedGroup.x25519);
  t.equal(turns.settle(), 8, 'the group starts anew');
});

test('both sides of a share from the store come to the same secret', async (t) => {
  const turns = host();
  const shares = new EcdhShares(turns);
  for (const group of GROUPS) {
    shares.take(group);
    turns.settle();
    const [ours, theirs] = [shares.take(group), shares.take(group)];
    t.same(ours.premasterSecret(theirs.publicPoint), theirs.premasterSecret(ours.publicPoint));
  }
});
