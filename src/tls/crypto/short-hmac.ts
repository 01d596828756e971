/**
 * HMAC (RFC 2104) with MD5 and SHA-1 over the few bytes that the PRF of TLS 1.0 works on. A handshake needs about fifty
 * of them; through node:crypto each costs more than 2 us, nearly all of it for making and freeing the object, and the
 * garbage collector comes on top. This way a handshake's worth takes 25 us instead of 100 to 140.
 */
import { compressMd5 } from './md5.js';
import { compressSha1 } from './sha1.js';

interface ShortHash {
  readonly compress: (state: Int32Array, block: Uint8Array, at: number) => void;
  readonly initial: Int32Array;
  readonly littleEndian: boolean;
  /** Room for the inner digest of every HMAC, since nothing here is interrupted. */
  readonly inner: Uint8Array;
}

const IV = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
const HASHES = {
  md5: { compress: compressMd5, initial: Int32Array.from(IV), littleEndian: true, inner: new Uint8Array(16) },
  sha1: {
    compress: compressSha1,
    initial: Int32Array.from([...IV, 0xc3d2e1f0]),
    littleEndian: false,
    inner: new Uint8Array(20),
  },
} as const satisfies Record<string, ShortHash>;

/** One key, for as many messages as come. Holds key material until `wipe`. */
export class ShortHmac {
  /** Bytes. */
  readonly outputLength: number;
  readonly #hash: ShortHash;
  /** The states after the padded key, inside and then outside (RFC 2104, 4). */
  readonly #keyed: Int32Array;

  constructor(algorithm: keyof typeof HASHES, key: Uint8Array) {
    const hash = HASHES[algorithm];
    this.#hash = hash;
    this.outputLength = 4 * hash.initial.length;
    this.#keyed = new Int32Array(2 * hash.initial.length);
    if (key.length <= BLOCK_LENGTH) PADDED_KEY.set(key);
    else this.#digest(hash.initial, 0, 0, key, PADDED_KEY, 0);
    for (let at = 0; at < BLOCK_LENGTH; at += 1) PADDED_KEY[at]! ^= INNER_PAD;
    this.#absorbKey(0);
    for (let at = 0; at < BLOCK_LENGTH; at += 1) PADDED_KEY[at]! ^= INNER_PAD ^ OUTER_PAD;
    this.#absorbKey(hash.initial.length);
    PADDED_KEY.fill(0);
  }

  /** Writes the MAC of `message` to `output` from `at` on. */
  compute(message: Uint8Array, output: Uint8Array, at: number): void {
    const { initial, inner } = this.#hash;
    this.#digest(this.#keyed, 0, BLOCK_LENGTH, message, inner, 0);
    this.#digest(this.#keyed, initial.length, BLOCK_LENGTH, inner, output, at);
  }

  /** Takes the time of `blocks` compressions, and leaves nothing. */
  burn(blocks: number): void {
    for (let block = 0; block < blocks; block += 1) this.#hash.compress(STATE, LAST_BLOCKS, 0);
  }

  wipe(): void {
    this.#keyed.fill(0);
    STATE.fill(0);
    this.#hash.inner.fill(0);
    LAST_BLOCKS.fill(0);
  }

  #absorbKey(at: number): void {
    const { initial, compress } = this.#hash;
    STATE.set(initial);
    compress(STATE, PADDED_KEY, 0);
    for (let word = 0; word < initial.length; word += 1) this.#keyed[at + word] = STATE[word]!;
  }

  /** Goes on from the state that lies in `states` from `stateAt` on, and has seen `before` bytes. */
  #digest(
    states: Int32Array,
    stateAt: number,
    before: number,
    message: Uint8Array,
    output: Uint8Array,
    outputAt: number,
  ): void {
    const { compress, initial, littleEndian } = this.#hash;
    const state = STATE;
    for (let word = 0; word < initial.length; word += 1) state[word] = states[stateAt + word]!;
    const whole = message.length - (message.length % BLOCK_LENGTH);
    for (let at = 0; at < whole; at += BLOCK_LENGTH) compress(state, message, at);
    // RFC 1321, 3.1 and 3.2; FIPS 180-4, 5.1.1: a one bit, zeros, and the length in bits.
    const rest = message.length - whole;
    const end = rest + 1 + 8 <= BLOCK_LENGTH ? BLOCK_LENGTH : 2 * BLOCK_LENGTH;
    LAST_BLOCKS.fill(0, rest, end);
    for (let at = 0; at < rest; at += 1) LAST_BLOCKS[at] = message[whole + at]!;
    LAST_BLOCKS[rest] = 0x80;
    LAST_BLOCKS_VIEW.setUint32(littleEndian ? end - 8 : end - 4, 8 * (before + message.length), littleEndian);
    compress(state, LAST_BLOCKS, 0);
    if (end > BLOCK_LENGTH) compress(state, LAST_BLOCKS, BLOCK_LENGTH);
    for (let at = 0; at < initial.length; at += 1) {
      const word = state[at]!;
      for (let shift = 0; shift < 32; shift += 8, outputAt += 1) {
        output[outputAt] = littleEndian ? word >>> shift : word >>> (24 - shift);
      }
    }
  }
}

/** Bytes. */
const BLOCK_LENGTH = 64;
/** RFC 2104, 2. */
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** Shared by all, since nothing here is interrupted; a message's end and its padding take at most two blocks. */
const LAST_BLOCKS = new Uint8Array(2 * BLOCK_LENGTH);
const LAST_BLOCKS_VIEW = new DataView(LAST_BLOCKS.buffer);
const PADDED_KEY = new Uint8Array(BLOCK_LENGTH);
/** Words: as many as SHA-1 has. */
const STATE = new Int32Array(5);
