/** Where sessions to be resumed by id are kept: in this process, or somewhere that has to be asked. */
import type { Session, SessionCache } from '../../tls/index.js';

/** Where it fails, it has nothing: a store throws nothing, reports its own troubles, and costs no handshake. */
export interface SessionStore {
  /** `done` is called once, now or later, and soon: without an answer in time there is none. */
  find(id: Buffer, done: (session: Session | undefined) => void): void;
  /** The session is the store's from here on (see ConnectionOutput.saveSession). Nobody waits for it to be there. */
  save(id: Buffer, session: Session): void;
  forget(id: Buffer): void;
}

/** The sessions of this process. */
export function localSessions(cache: SessionCache): SessionStore {
  return {
    find: (id, done) => done(cache.find(id)),
    save: (id, session) => cache.save(id, session),
    forget: (id) => cache.forget(id),
  };
}
