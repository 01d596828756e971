/** Runs a handshake, which is a generator, as far as what has come allows. */
import { HandshakeType } from '../code-points.js';
import type { HandshakeMessage } from '../record/reassembly.js';
import type { OperationResult } from '../server-parameters.js';
import type { Completed } from './handshake-steps.js';
import type { HandshakeIo } from './io.js';
import type { Step, Wait } from './wait.js';

export class HandshakeDriver {
  readonly #io: HandshakeIo;
  readonly #steps: Step<Completed>;
  readonly #completed: (completed: Completed) => void;
  #wait: Wait | undefined = CLIENT_HELLO;
  #running = false;
  #stopped = false;

  /** @param completed called once, while `run` or what calls it still runs */
  constructor(io: HandshakeIo, steps: Step<Completed>, completed: (completed: Completed) => void) {
    this.#io = io;
    this.#steps = steps;
    this.#completed = completed;
  }

  /** Undefined once it is complete. */
  get wait(): Wait | undefined {
    return this.#wait;
  }

  /** RFC 5246, 7.4: there is never more than one message that may come next. */
  get expectedMessage(): HandshakeType | undefined {
    return this.#wait?.for === 'message' ? this.#wait.type : undefined;
  }

  /** Whether a call comes from within a step, or from `completed`. */
  get running(): boolean {
    return this.#running;
  }

  takeMessage(message: HandshakeMessage): void {
    this.#io.putMessage(message);
    this.run();
  }

  takeChangeCipherSpec(): void {
    this.#io.putChangeCipherSpec();
    this.run();
  }

  /** `run` must follow, unless it is running. @returns whether it was waited for: not so where it is late, or a second one */
  putCompletion(result: OperationResult): boolean {
    return this.#io.putCompletion(result);
  }

  run(): void {
    this.#running = true;
    try {
      const step = this.#steps.next();
      if (this.#stopped) this.#steps.return(undefined as never);
      else if (step.done === true) {
        this.#wait = undefined;
        this.#completed(step.value);
      } else this.#wait = step.value;
    } finally {
      this.#running = false;
    }
  }

  /** Runs the finally blocks, which wipe the secrets of an unfinished handshake; a step that runs comes to its end first. */
  stop(): void {
    this.#stopped = true;
    this.#io.close();
    if (!this.#running) this.#steps.return(undefined as never);
  }
}

/** What a connection waits for before there is a handshake. */
export const CLIENT_HELLO: Wait = { for: 'message', type: HandshakeType.client_hello };
