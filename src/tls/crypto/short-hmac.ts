/**
 * HMAC (RFC 2104) with MD5 and SHA-1 over the few bytes that the PRF of TLS 1.0 works on. A handshake needs about fifty
 * of them; through node:crypto each costs more than 2 us, nearly all of it for making and freeing the object: a handshake's
 * PRF takes 122 us of CPU that way and 40 us this way (Node 20, AMD EPYC). All is done in words as the hash reads them: a digest is the next message as it stands.
 */
import { compressMd5 } from './md5.js';
import { compressSha1 } from './sha1.js';

interface ShortHash {
  readonly compress: (state: Int32Array, words: Int32Array, at: number) => void;
  readonly initial: Int32Array;
  readonly littleEndian: boolean;
  /**
   * A block with a digest in front and the end of a message behind it (RFC 1321, 3.1 and 3.2; FIPS 180-4, 5.1.1): what
   * the outer hash of every HMAC reads behind its key, and the inner hash where the message is a digest. Shared by all,
   * since nothing here is interrupted.
   */
  readonly digestBlock: Int32Array;
}

function shortHash(
  compress: ShortHash['compress'],
  initial: readonly number[],
  littleEndian: boolean,
): ShortHash {
  const digestBlock = new Int32Array(BLOCK_WORDS);
  digestBlock[initial.length] = littleEndian ? 0x80 : 0x80 << 24;
  digestBlock[littleEndian ? 14 : 15] = 8 * (BLOCK_LENGTH + 4 * initial.length);
  return { compress, initial: Int32Array.from(initial), littleEndian, digestBlock };
}

/** Bytes. */
const BLOCK_LENGTH = 64;
const BLOCK_WORDS = BLOCK_LENGTH / 4;
/** RFC 2104, 2. */
const INNER_PAD = 0x36363636;
const OUTER_PAD = 0x5c5c5c5c;

const IV = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
const HASHES = {
  md5: shortHash(compressMd5, IV, true),
  sha1: shortHash(compressSha1, [...IV, 0xc3d2e1f0], false),
} as const;

/** One key, for as many expansions as come. Holds key material until `wipe`. */
export class ShortHmac {
  /** Bytes. */
  readonly outputLength: number;
  readonly #hash: ShortHash;
  /** The states after the padded key, inside and outside (RFC 2104, 4). */
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;

  constructor(algorithm: keyof typeof HASHES, key: Uint8Array) {
    const hash = HASHES[algorithm];
    this.#hash = hash;
    this.outputLength = 4 * hash.initial.length;
    if (key.length <= BLOCK_LENGTH) this.#load(key, 0, key.length);
    else {
      this.#digest(hash.initial, 0, key);
      BLOCKS.fill(0);
      BLOCKS.set(STATE.subarray(0, hash.initial.length));
    }
    this.#inner = this.#absorbKey(INNER_PAD);
    this.#outer = this.#absorbKey(INNER_PAD ^ OUTER_PAD);
    BLOCKS.fill(0);
  }

  /**
   * P_hash of RFC 2246, 5, XORed into `output`.
   * @throws RangeError for a seed of more than MAX_SEED_BYTES
   */
  xorExpansion(seed: Uint8Array, output: Uint8Array): void {
    if (seed.length > MAX_SEED_BYTES) throw new RangeError('a seed that is longer than any of TLS 1.0');
    const { compress, initial, littleEndian, digestBlock } = this.#hash;
    const size = initial.length;
    // A(i), the seed and the end of the message, as HMAC reads them behind the key; of these only A(i) changes.
    const words = this.#layOut(seed);
    this.#authenticate(seed);
    for (let at = 0; at < output.length; at += 4 * size) {
      if (at > 0) {
        for (let word = 0; word < size; word += 1) digestBlock[word] = MESSAGE[word]!;
        this.#hashDigest(this.#inner);
        this.#close();
      }
      for (let word = 0; word < size; word += 1) MESSAGE[word] = STATE[word]!;
      this.#begin(this.#inner);
      for (let block = 0; block < words; block += BLOCK_WORDS) compress(STATE, MESSAGE, block);
      this.#close();
      const end = Math.min(4 * size, output.length - at);
      for (let i = 0; i < end; i += 1) {
        const shift = 8 * (littleEndian ? i & 3 : 3 - (i & 3));
        output[at + i]! ^= STATE[i >>> 2]! >>> shift;
      }
    }
    MESSAGE.fill(0, 0, words);
  }

  wipe(): void {
    const { compress, initial, digestBlock } = this.#hash;
    this.#inner.fill(0);
    this.#outer.fill(0);
    digestBlock.fill(0, 0, initial.length);
    BLOCKS.fill(0);
    // It works on a copy, in which the last block still is.
    compress(STATE, BLOCKS, 0);
    STATE.fill(0);
  }

  /** @returns the state behind the key that lies in BLOCKS, once `pad` is on it too */
  #absorbKey(pad: number): Int32Array {
    for (let word = 0; word < BLOCK_WORDS; word += 1) BLOCKS[word]! ^= pad;
    this.#begin(this.#hash.initial);
    this.#hash.compress(STATE, BLOCKS, 0);
    return STATE.slice(0, this.#hash.initial.length);
  }

  /** Leaves the MAC in STATE. */
  #authenticate(message: Uint8Array): void {
    this.#digest(this.#inner, BLOCK_LENGTH, message);
    this.#close();
  }

  /** The outer hash, over the digest in STATE. */
  #close(): void {
    const { digestBlock, initial } = this.#hash;
    for (let word = 0; word < initial.length; word += 1) digestBlock[word] = STATE[word]!;
    this.#hashDigest(this.#outer);
  }

  #hashDigest(from: Int32Array): void {
    this.#begin(from);
    this.#hash.compress(STATE, this.#hash.digestBlock, 0);
  }

  #begin(from: Int32Array): void {
    for (let word = 0; word < from.length; word += 1) STATE[word] = from[word]!;
  }

  /** Goes on from a state that has seen `before` bytes, whole blocks. */
  #digest(from: Int32Array, before: number, message: Uint8Array): void {
    const { compress } = this.#hash;
    this.#begin(from);
    const whole = message.length - (message.length % BLOCK_LENGTH);
    for (let at = 0; at < whole; at += BLOCK_LENGTH) {
      this.#load(message, at, BLOCK_LENGTH);
      compress(STATE, BLOCKS, 0);
    }
    const rest = message.length - whole;
    this.#load(message, whole, rest);
    const words = this.#pad(BLOCKS, rest, before + message.length);
    compress(STATE, BLOCKS, 0);
    if (words > BLOCK_WORDS) compress(STATE, BLOCKS, BLOCK_WORDS);
  }

  /** The end of a message of `length` bytes, of which `at` lie in `words`. @returns where it ends, in words */
  #pad(words: Int32Array, at: number, length: number): number {
    const { littleEndian } = this.#hash;
    const end = BLOCK_WORDS * Math.ceil((at + 1 + 8) / BLOCK_LENGTH);
    words[at >>> 2]! |= 0x80 << (8 * (littleEndian ? at & 3 : 3 - (at & 3)));
    words[littleEndian ? end - 2 : end - 1] = 8 * length;
    return end;
  }

  /** Puts `length` bytes, a block at most, in front of zeros. */
  #load(bytes: Uint8Array, at: number, length: number): void {
    const { littleEndian } = this.#hash;
    let word = 0;
    for (; word < length >>> 2; word += 1, at += 4) {
      BLOCKS[word] = littleEndian
        ? bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
        : (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    }
    for (let zero = word; zero < BLOCKS.length; zero += 1) BLOCKS[zero] = 0;
    for (let i = 0; i < (length & 3); i += 1) {
      BLOCKS[word]! |= bytes[at + i]! << (8 * (littleEndian ? i : 3 - i));
    }
  }

  /** Room for a digest, then `seed` and the end of the message. @returns where it ends, in words */
  #layOut(seed: Uint8Array): number {
    const { initial, littleEndian } = this.#hash;
    const length = this.outputLength + seed.length;
    MESSAGE.fill(0);
    for (let i = 0; i < seed.length; i += 1) {
      MESSAGE[initial.length + (i >>> 2)]! |= seed[i]! << (8 * (littleEndian ? i & 3 : 3 - (i & 3)));
    }
    return this.#pad(MESSAGE, length, BLOCK_LENGTH + length);
  }
}

/** Label and seed take 86 at most (RFC 7627, 4). */
export const MAX_SEED_BYTES = 256;

/** Shared by all, since nothing here is interrupted. The end of a message takes at most two blocks. */
const BLOCKS = new Int32Array(2 * BLOCK_WORDS);
/** A digest, a seed, and the end of a message: five blocks. */
const MESSAGE = new Int32Array(BLOCK_WORDS * Math.ceil((20 + MAX_SEED_BYTES + 9) / BLOCK_LENGTH));
/** Words: as many as SHA-1 has. */
const STATE = new Int32Array(5);
