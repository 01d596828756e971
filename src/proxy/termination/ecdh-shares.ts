/** Key pairs of elliptic curves that are made while the process has nothing else to do, so that no handshake waits. */
import { newEcdhShare, type EcdhGroup, type EcdhShare } from '../../tls/index.js';

interface Ready {
  readonly share: EcdhShare;
  /** Milliseconds of `now`. */
  readonly made: number;
}

export interface EcdhSharesHost {
  readonly now: () => number;
  /** Calls back when the events that are there have been served. */
  readonly whenIdle: (action: () => void) => void;
  /** Calls back later, and does not keep the process alive for it. */
  readonly later: (action: () => void, milliseconds: number) => void;
}

/** Each share is given out once. A group that was not used for a minute has none. */
export class EcdhShares {
  readonly #host: EcdhSharesHost;
  readonly #ready = new Map<EcdhGroup, Ready[]>();
  #filling = false;
  #expiring = false;

  constructor(host: EcdhSharesHost) {
    this.#host = host;
  }

  /** One that is ready, or a new one. */
  take(group: EcdhGroup): EcdhShare {
    let ready = this.#ready.get(group);
    if (ready === undefined) this.#ready.set(group, (ready = []));
    const oldest = this.#host.now() - LIFETIME_MS;
    while (ready.length > 0 && ready[0]!.made < oldest) ready.shift();
    const taken = ready.shift();
    this.#fill();
    return taken?.share ?? newEcdhShare(group);
  }

  /** One pair an idle turn. */
  #fill(): void {
    if (this.#filling) return;
    const wanting = [...this.#ready].find(([, ready]) => ready.length < READY_PAIRS);
    if (wanting === undefined) return;
    this.#filling = true;
    this.#host.whenIdle(() => {
      this.#filling = false;
      const [group, ready] = wanting;
      ready.push({ share: newEcdhShare(group), made: this.#host.now() });
      this.#expire();
      this.#fill();
    });
  }

  /** Drops what has become old, and a group with it: a private key that may never be used has no reason to stay. */
  #expire(): void {
    if (this.#expiring) return;
    this.#expiring = true;
    this.#host.later(() => {
      this.#expiring = false;
      const oldest = this.#host.now() - LIFETIME_MS;
      for (const [group, ready] of this.#ready) {
        while (ready.length > 0 && ready[0]!.made <= oldest) ready.shift();
        if (ready.length === 0) this.#ready.delete(group);
      }
      if (this.#ready.size > 0) this.#expire();
    }, LIFETIME_MS);
  }
}

const shares = new EcdhShares({
  now: () => performance.now(),
  whenIdle: (action) => void setImmediate(action),
  later: (action, milliseconds) => void setTimeout(action, milliseconds).unref(),
});

/** For all connections of this process. */
export function readyEcdhShare(group: EcdhGroup): EcdhShare {
  return shares.take(group);
}

/** Pairs of a group: as many as clients may come in one turn of the event loop without any of them waiting. */
const READY_PAIRS = 8;
const LIFETIME_MS = 60_000;
