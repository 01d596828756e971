/** The compression function of MD5 (RFC 1321, 3.4), for short-hmac.ts. */

/** Mixes the 16 words of `block` from `at` on, little-endian, into `state`, four words. */
export function compressMd5(state: Int32Array, block: Int32Array, at: number): void {
  const x = WORDS;
  for (let t = 0; t < 16; t += 1) x[t] = block[at + t]!;
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let m: number;
  for (let i = 0; i < 16; i += 4) {
    m = (a + (d ^ (b & (c ^ d))) + x[i]! + SINES[i]!) | 0;
    a = (b + ((m << 7) | (m >>> 25))) | 0;
    m = (d + (c ^ (a & (b ^ c))) + x[i + 1]! + SINES[i + 1]!) | 0;
    d = (a + ((m << 12) | (m >>> 20))) | 0;
    m = (c + (b ^ (d & (a ^ b))) + x[i + 2]! + SINES[i + 2]!) | 0;
    c = (d + ((m << 17) | (m >>> 15))) | 0;
    m = (b + (a ^ (c & (d ^ a))) + x[i + 3]! + SINES[i + 3]!) | 0;
    b = (c + ((m << 22) | (m >>> 10))) | 0;
  }
  for (let i = 16; i < 32; i += 4) {
    m = (a + (c ^ (d & (b ^ c))) + x[(5 * i + 1) & 15]! + SINES[i]!) | 0;
    a = (b + ((m << 5) | (m >>> 27))) | 0;
    m = (d + (b ^ (c & (a ^ b))) + x[(5 * i + 6) & 15]! + SINES[i + 1]!) | 0;
    d = (a + ((m << 9) | (m >>> 23))) | 0;
    m = (c + (a ^ (b & (d ^ a))) + x[(5 * i + 11) & 15]! + SINES[i + 2]!) | 0;
    c = (d + ((m << 14) | (m >>> 18))) | 0;
    m = (b + (d ^ (a & (c ^ d))) + x[(5 * i + 16) & 15]! + SINES[i + 3]!) | 0;
    b = (c + ((m << 20) | (m >>> 12))) | 0;
  }
  for (let i = 32; i < 48; i += 4) {
    m = (a + (b ^ c ^ d) + x[(3 * i + 5) & 15]! + SINES[i]!) | 0;
    a = (b + ((m << 4) | (m >>> 28))) | 0;
    m = (d + (a ^ b ^ c) + x[(3 * i + 8) & 15]! + SINES[i + 1]!) | 0;
    d = (a + ((m << 11) | (m >>> 21))) | 0;
    m = (c + (d ^ a ^ b) + x[(3 * i + 11) & 15]! + SINES[i + 2]!) | 0;
    c = (d + ((m << 16) | (m >>> 16))) | 0;
    m = (b + (c ^ d ^ a) + x[(3 * i + 14) & 15]! + SINES[i + 3]!) | 0;
    b = (c + ((m << 23) | (m >>> 9))) | 0;
  }
  for (let i = 48; i < 64; i += 4) {
    m = (a + (c ^ (b | ~d)) + x[(7 * i) & 15]! + SINES[i]!) | 0;
    a = (b + ((m << 6) | (m >>> 26))) | 0;
    m = (d + (b ^ (a | ~c)) + x[(7 * i + 7) & 15]! + SINES[i + 1]!) | 0;
    d = (a + ((m << 10) | (m >>> 22))) | 0;
    m = (c + (a ^ (d | ~b)) + x[(7 * i + 14) & 15]! + SINES[i + 2]!) | 0;
    c = (d + ((m << 15) | (m >>> 17))) | 0;
    m = (b + (d ^ (c | ~a)) + x[(7 * i + 21) & 15]! + SINES[i + 3]!) | 0;
    b = (c + ((m << 21) | (m >>> 11))) | 0;
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
}

const WORDS = new Int32Array(16);

/** The table T: the whole part of 2^32 times the sine of i, in radians. */
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32));
