/** What may take the place of a timeout, and what may not. */
import { test } from 'tap';
import * as ending from '../../../src/proxy/connection/ending.js';
import type { ConnectionPlan } from '../../../src/proxy/connection/plan.js';
import type { Relay } from '../../../src/proxy/connection/relay.js';
import { Timeouts } from '../../../src/proxy/connection/timeouts.js';

test('when the proxy stops, nothing gives the last reply more or less than its five seconds', async (t) => {
  const limits = { idleTimeout: 1, commandTimeout: 1, greetingTimeout: 1 };
  const plan = { limits, listener: { mode: 'starttls' } } as ConnectionPlan;
  const sending: unknown = { mailBegan: true, betweenCommands: false };
  const relay = sending as Relay;
  const started = performance.now();
  await new Promise<void>((resolve) => {
    const timeouts = new Timeouts(plan, {
      end: () => t.fail('ended'),
      cut: () => t.fail('cut'),
      abort: () => {
        clearInterval(traffic);
        resolve();
      },
    });
    timeouts.awaitLastReply(ending.SHUTDOWN);
    // The backend becomes ready and begins to send, in any order.
    timeouts.awaitClient(relay);
    timeouts.awaitGreeting();
    const traffic = setInterval(() => {
      timeouts.extend();
      timeouts.awaitBytes(relay);
      if (performance.now() - started > 8_000) timeouts.clear();
    }, 100);
  });
  const took = performance.now() - started;
  t.ok(took > 4_500 && took < 7_500, `${took} ms`);
});
