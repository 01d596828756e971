/** Stores of sessions that are resumed by id: in this process, or in another one. */
import type { Session, SessionCache } from '../../tls/index.js';

/** A store never throws. If it fails, it finds nothing and reports its problem itself; no handshake fails. */
export interface SessionStore {
  /**
   * `done` is called once, now or soon; without an answer in time, with undefined. The session is the store's, which may
   * wipe it when `done` returns.
   */
  find(id: Buffer, done: (session: Session | undefined) => void): void;
  /** The store owns the session from here on (see ConnectionOutput.saveSession). Callers do not wait. */
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
