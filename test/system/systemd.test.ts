/** What systemd gets from oldhello where the command systemd-notify fails. */
import { EventEmitter, once } from 'node:events';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test, type Test } from 'tap';
import { ServiceManager, type Notify } from '../../src/system/systemd.js';

const WATCHDOG_SECONDS = 30;
const OUT_OF_MEMORY = Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' });

/** A manager with a watchdog, and what it sends. @param results of each message in turn; then all are sent */
function watched(t: Test, results: readonly ('sent' | 'failed' | 'throws')[]) {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const turns = [...results];
  const sent = new EventEmitter();
  const failures: string[] = [];
  const notify: Notify = ([word], _, done) => {
    const result = turns.shift() ?? 'sent';
    sent.emit('word', word);
    if (result === 'throws') throw OUT_OF_MEMORY;
    done(result === 'failed' ? new Error('Resource temporarily unavailable') : null);
  };
  const environment = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: `${WATCHDOG_SECONDS * 1e6}` };
  const manager = new ServiceManager(environment, 1, ({ message }) => failures.push(message), notify);
  /** The first message of the next so many seconds. */
  const within = async (seconds: number): Promise<string> => {
    const next = once(sent, 'word') as Promise<[string]>;
    mock.timers.tick(seconds * 1000);
    const [word] = await next;
    await nextTurn();
    return word;
  };
  return { manager, failures, within };
}

test('after a notification that failed, systemd gets the next one a second later', async (t) => {
  const { manager, failures, within } = watched(t, ['sent', 'failed', 'throws', 'failed']);
  await manager.ready('serving');
  t.equal(await within(WATCHDOG_SECONDS / 4), 'WATCHDOG=1');
  for (let failed = 0; failed < 3; failed += 1) t.equal(await within(1), 'WATCHDOG=1');
  t.equal(await within(WATCHDOG_SECONDS / 4), 'WATCHDOG=1', 'and then at the usual interval');
  t.same(failures, ['Resource temporarily unavailable'], 'the log has it once');
});

test('a process that cannot be started ends neither oldhello nor its later notifications', async (t) => {
  const { manager, failures } = watched(t, ['throws', 'throws']);
  await manager.ready('serving');
  await manager.reloading();
  await manager.stopping('waiting');
  t.same(failures, ['spawn ENOMEM']);
});
