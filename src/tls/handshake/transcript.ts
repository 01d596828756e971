/**
 * The running hash over all handshake messages (RFC 5246, 7.4.9). Which hash it is shows only with the ServerHello, so
 * the ClientHello is kept raw until then.
 */
import { createHash, type Hash } from 'node:crypto';

export class Transcript {
  #raw: Uint8Array[] = [];
  #hashes: Hash[] = [];

  /** From here on messages are hashed as they come; what came before is hashed now. */
  start(algorithms: readonly string[]): void {
    this.#hashes = algorithms.map((algorithm) => createHash(algorithm));
    for (const message of this.#raw) this.add(message);
    this.#raw = [];
  }

  add(message: Uint8Array): void {
    if (this.#hashes.length === 0) this.#raw.push(message);
    else for (const hash of this.#hashes) hash.update(message);
  }

  /** Copies that may be updated further or digested, in the order `start` named them. */
  hashes(): Hash[] {
    return this.#hashes.map((hash) => hash.copy());
  }

  /** The digests of everything so far, one after the other. */
  digest(): Buffer {
    return Buffer.concat(this.hashes().map((hash) => hash.digest()));
  }
}
