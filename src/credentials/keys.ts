/**
 * Private-key operations. Operations below a millisecond run at once; slower ones run on another thread, so that one
 * handshake does not delay the others. Callers see no difference.
 */
import { sign, type KeyObject } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import {
  performPrivateKeyOperation,
  type Credential,
  type OperationResult,
  type PrivateKeyOperation,
} from '../tls/index.js';

type Done = (result: OperationResult) => void;
type SignOperation = Extract<PrivateKeyOperation, { kind: 'sign' }>;

export class KeyRing {
  /** Weak: a replaced key is freed with the last handshake that uses it. */
  readonly #keys = new WeakMap<Credential, KeyObject>();
  readonly #decrypter: DecryptWorker = new DecryptWorker();

  add(credential: Credential, key: KeyObject): void {
    this.#keys.set(credential, key);
  }

  /** @param done called once, now or later, with the result or an error */
  operate(operation: PrivateKeyOperation, done: Done): void {
    const key = this.#keys.get(operation.credential);
    if (key === undefined) {
      done(new Error('no private key for this certificate'));
    } else if (isQuick(operation.credential)) {
      done(attempt(() => performPrivateKeyOperation(operation, key)));
    } else if (operation.kind === 'sign') {
      signElsewhere(operation, key, new Answer(done));
    } else {
      this.#decrypter.decrypt(operation.ciphertext, operation.credential.modulusLength, key, done);
    }
  }

  close(): void {
    this.#decrypter.close();
  }
}

/** A thread for RSA decryption, because node:crypto decrypts on the calling thread only. Started when first needed. */
class DecryptWorker {
  #worker: Worker | undefined;
  #next = 0;
  readonly #waiting = new Map<number, Answer>();

  decrypt(ciphertext: Buffer, modulusLength: number, key: KeyObject, done: Done): void {
    if (this.#waiting.size >= MAX_WAITING) {
      done(new Error('too many private-key operations are waiting'));
      return;
    }
    const id = this.#next++;
    this.#waiting.set(id, new Answer(done));
    this.#start().postMessage({ id, ciphertext, modulusLength, key });
  }

  close(): void {
    const worker = this.#worker;
    this.#fail(new Error('the decryption thread was ended'));
    void worker?.terminate();
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL('./decrypt-worker.js', import.meta.url));
    worker.unref();
    worker.on('message', ({ id, block }: { id: number; block: Uint8Array }) => {
      const answer = this.#waiting.get(id);
      this.#waiting.delete(id);
      answer?.give(Buffer.from(block.buffer, block.byteOffset, block.byteLength));
    });
    // After an error there is an exit too, and by then maybe another thread.
    const fail = (error: Error): void => {
      if (this.#worker === worker) this.#fail(error);
    };
    worker.on('error', fail);
    worker.on('exit', (code) => fail(new Error(`the decryption thread ended with code ${code}`)));
    this.#worker = worker;
    return worker;
  }

  #fail(error: Error): void {
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const answer of waiting) answer.give(error);
  }
}

/**
 * Holds a callback until it is called, then drops it. V8 keeps some references to this object until the next full
 * collection: the function that Node makes for the callback of `sign`, and old tables of a Map. With the connection
 * behind it, that was 20 kB for each handshake.
 */
class Answer {
  #done: Done | undefined;

  constructor(done: Done) {
    this.#done = done;
  }

  give(result: OperationResult): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(result);
  }
}

function signElsewhere({ hash, data }: SignOperation, key: KeyObject, answer: Answer): void {
  sign(hash, data, key, (error, signature) => answer.give(error ?? signature));
}

function attempt(operation: () => Buffer): OperationResult {
  try {
    return operation();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/**
 * For RSA of 2048 bits and P-256, another thread costs more than it saves: an ECDHE handshake takes 5 to 10 % longer.
 * P-384 takes longer than RSA of 2048 bits.
 */
function isQuick({ modulusLength, curve }: Credential): boolean {
  return curve === undefined ? modulusLength <= INLINE_MODULUS_LENGTH : curve === 'secp256r1';
}

/** Bytes. */
const INLINE_MODULUS_LENGTH = 256;

/** At 4 ms each, this is four seconds of work: more is a flood. */
const MAX_WAITING = 1_000;
