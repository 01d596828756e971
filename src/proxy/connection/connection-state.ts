/** The phase of a connection, the places and timers that go with it, and every way to its end. */
import type { ConnectionEvent, ConnectionRecord, Failure } from '../../observe/connection-record.js';
import { ownReply } from '../../smtp/replies.js';
import { Closing, type OpenEnds } from './closing.js';
import * as ending from './ending.js';
import { HandshakeSlot } from './handshake-slot.js';
import { leave, type Phase } from './phase.js';
import type { ConnectionPlan, ConnectionServices } from './plan.js';
import { Timeouts } from './timeouts.js';

export class ConnectionState {
  readonly timeouts: Timeouts;
  readonly #plan: ConnectionPlan;
  readonly #record: ConnectionRecord;
  readonly #slot: HandshakeSlot;
  readonly #finished: (event: ConnectionEvent) => void;
  #phase: Phase | undefined;

  /** @param finished called once, when everything is closed */
  constructor(
    plan: ConnectionPlan,
    record: ConnectionRecord,
    { handshakes }: Pick<ConnectionServices, 'handshakes'>,
    finished: (event: ConnectionEvent) => void,
  ) {
    this.#plan = plan;
    this.#record = record;
    this.#slot = new HandshakeSlot(handshakes);
    this.#finished = finished;
    this.timeouts = new Timeouts(plan, {
      end: (how) => this.end(how),
      cut: (failure) => this.cut(failure),
      abort: (failure) => this.abort(failure),
    });
  }

  get phase(): Phase | undefined {
    return this.#phase;
  }

  enter(phase: Phase): void {
    this.#phase = phase;
  }

  /** Whether the limits allow one more handshake, which is then counted until `handshakeOver`. */
  mayHandshake(): boolean {
    const over = this.#slot.take(this.#plan.client.address, this.#plan.limits);
    if (over !== undefined) this.#record.recordFailure(ending.overLimit(over));
    return over === undefined;
  }

  handshakeOver(): void {
    this.#slot.release();
  }

  /** With a reply of ours, if there is one, or with the backend's in its place. */
  end({ failure, reply }: ending.Ending, backendReply?: Buffer): void {
    this.#record.recordFailure(failure);
    const ends = this.#leave();
    const bytes = backendReply ?? (reply && ownReply(reply, this.#plan.hostname));
    if (bytes !== undefined && ends.client !== undefined) {
      this.#record.toClient += bytes.length;
      ends.client.write(bytes);
    }
    this.close(ends, 'destroy');
  }

  /** A client that can read no reply of ours gets no close_notify either: it must not take this for the end of its data. */
  cut(failure: Failure): void {
    this.#record.recordFailure(failure);
    const ends = this.#leave();
    ends.client?.destroy();
    this.close(ends, 'destroy');
  }

  /** At once; what is in flight is lost to this client, never to a backend that acknowledged it. */
  abort(failure: Failure): void {
    this.#record.recordFailure(failure);
    this.leaveAndClose('destroy');
    if (this.#phase?.kind === 'closing') this.#phase.closing.destroy();
  }

  /** @param isCut it broke off before the client had ended its side, also where that is no failure */
  clientClosed(error: Error | undefined, isCut = error !== undefined): void {
    if (error !== undefined) this.#record.recordFailure(ending.clientGone(error, undefined));
    const { backend } = this.#leave();
    const damaged = this.#isTcp ? isCut || this.#record.failed : error !== undefined;
    this.close({ backend }, damaged ? 'destroy' : 'end');
  }

  /** @param backend how its session ends, see Closing */
  leaveAndClose(backend: 'end' | 'destroy'): void {
    this.close(this.#leave(), backend);
  }

  /** @param backend how its session ends, see Closing */
  close(ends: OpenEnds, backend: 'end' | 'destroy'): void {
    if (this.#phase?.kind === 'closing') return;
    this.#slot.release();
    const closing = new Closing(() => {
      this.timeouts.clear();
      this.#finished(this.#record.event());
    });
    this.#phase = { kind: 'closing', closing };
    this.timeouts.awaitClose(closing);
    closing.begin(ends, backend === 'destroy' && this.#isTcp ? 'reset' : backend);
  }

  #leave(): OpenEnds {
    return leave(this.#phase);
  }

  /** In other protocols than SMTP the end of the connection may be the end of the data. */
  get #isTcp(): boolean {
    return this.#plan.listener.mode === 'tcp';
  }
}
