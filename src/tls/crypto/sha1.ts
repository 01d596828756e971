/** The compression function of SHA-1 (FIPS 180-4, 6.1.2), for short-hmac.ts. */

/** Mixes the 16 words of `block` from `at` on, big-endian, into `state`, five words. */
export function compressSha1(state: Int32Array, block: Int32Array, at: number): void {
  const w = SCHEDULE;
  for (let t = 0; t < 16; t += 1) w[t] = block[at + t]!;
  for (let t = 16; t < 80; t += 1) {
    const x = w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!;
    w[t] = (x << 1) | (x >>> 31);
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let next: number;
  for (let t = 0; t < 20; t += 1) {
    next = (((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + e + w[t]! + 0x5a827999) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 20; t < 40; t += 1) {
    next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + w[t]! + 0x6ed9eba1) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 40; t < 60; t += 1) {
    next = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + e + w[t]! + 0x8f1bbcdc) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 60; t < 80; t += 1) {
    next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + w[t]! + 0xca62c1d6) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
  state[4] = state[4]! + e;
}

const SCHEDULE = new Int32Array(80);
