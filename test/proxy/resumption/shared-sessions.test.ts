/** Sessions that several machines share. */
import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import { createLogChannel } from '../../../src/observe/log.js';
import type { RedisStore } from '../../../src/proxy/resumption/redis-store.js';
import type { SessionStore } from '../../../src/proxy/resumption/session-store.js';
import type { Session } from '../../../src/tls/index.js';
import { inPlaceOf } from '../../support/in-place-of.js';
import { testSession } from '../../support/session.js';

/** What Redis holds, in the process. */
class Store implements Pick<RedisStore, 'get' | 'set' | 'delete' | 'close'> {
  static readonly held = new Map<string, Buffer>();

  get(name: string): Promise<Buffer | undefined> {
    return Promise.resolve(Store.held.get(name));
  }

  set(name: string, value: Buffer): void {
    Store.held.set(name, value);
  }

  delete(name: string): void {
    Store.held.delete(name);
  }

  close(): void {
    // Nothing is open.
  }
}

const NO_SESSIONS: SessionStore = {
  find: (_, done) => done(undefined),
  save: () => undefined,
  forget: () => undefined,
};

test('a session of another machine is wiped when who asked for it has a copy', async (t) => {
  const { SharedSessions } = await t.mockImport<
    typeof import('../../../src/proxy/resumption/shared-sessions.js')
  >(
    '../../../src/proxy/resumption/shared-sessions.js',
    inPlaceOf('../../../src/proxy/resumption/redis-store', { RedisStore: Store }),
  );
  const sessions = new SharedSessions(createLogChannel().log, NO_SESSIONS, 60_000);
  sessions.useTicketKeys([randomBytes(48)]);
  const place = { host: '127.0.0.1', port: 1, database: 0, username: undefined, tls: false };
  sessions.configure({ place, password: undefined, passwordFile: undefined, keyPrefix: '', timeout: 1 });
  const session = testSession();
  const id = Buffer.alloc(32, 1);
  sessions.save(id, session);
  const found = await new Promise<Session | undefined>((resolve) =>
    sessions.find(id, (given) => {
      t.same(given, session);
      resolve(given);
    }),
  );
  t.same(found?.masterSecret, Buffer.alloc(48));
  sessions.close();
});
