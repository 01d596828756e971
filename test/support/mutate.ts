/** Deterministic damage: the same seed, the same bytes. */

export type Rng = (below: number) => number;

/** Mulberry32: small, and good enough to choose where to break things. */
export function rngFrom(seed: number): Rng {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const INTERESTING = [0, 1, 2, 3, 0x10, 0x14, 0x15, 0x16, 0x17, 0x20, 0x7f, 0x80, 0x81, 0xfe, 0xff];

/** One to four changes: a bit, a byte, a length, a piece taken out, put in, doubled, or moved. */
export function mutate(bytes: Buffer, rng: Rng): Buffer {
  let mutated: Buffer = Buffer.from(bytes);
  for (let changes = 1 + rng(4); changes > 0; changes -= 1) mutated = change(mutated, rng);
  return mutated;
}

function change(bytes: Buffer, rng: Rng): Buffer {
  if (bytes.length === 0) return Buffer.from([rng(256)]);
  const at = rng(bytes.length);
  const length = 1 + rng(Math.min(16, bytes.length - at));
  switch (rng(7)) {
    case 0:
      bytes[at]! ^= 1 << rng(8);
      return bytes;
    case 1:
      bytes[at] = INTERESTING[rng(INTERESTING.length)]!;
      return bytes;
    case 2:
      bytes[at] = bytes[at]! + (rng(2) === 0 ? 1 : 255);
      return bytes;
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length, rng(256)), bytes.subarray(at)]);
    case 5:
      return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    default:
      return bytes.subarray(0, at);
  }
}

/** The beginning of one with the end of the other. */
export function splice(one: Buffer, other: Buffer, rng: Rng): Buffer {
  return Buffer.concat([one.subarray(0, rng(one.length + 1)), other.subarray(rng(other.length + 1))]);
}

/** The bytes in pieces, cut at random. */
export function* pieces(bytes: Buffer, rng: Rng): Generator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const length = rng(3) === 0 ? bytes.length - at : 1 + rng(Math.min(64, bytes.length - at));
    yield bytes.subarray(at, at + length);
    at += length;
  }
}
