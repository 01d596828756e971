/**
 * The end of a decrypted CBC record, read without telling by time what is in it: no branch, no index and no loop bound
 * below depends on a byte of the plaintext, only on lengths that anybody on the wire can see.
 */

export interface PaddingVerdict {
  /** 1 or 0. */
  readonly good: number;
  /** Bytes of content in front of MAC and padding; with bad padding, as if it had none. */
  readonly length: number;
}

/**
 * @param plaintext at least `macLength` + 1 bytes
 * @param maxPadding SSLv3: padding_length must be below this, and padding may hold anything (RFC 6101, 5.2.3.2);
 *   undefined: every byte of the padding must be padding_length (RFC 5246, 6.2.3.2)
 */
export function checkPadding(
  plaintext: Buffer,
  macLength: number,
  maxPadding: number | undefined,
): PaddingVerdict {
  const last = plaintext.length - 1;
  // secret from here: the bytes of `plaintext`; public: all lengths.
  const paddingLength = plaintext[last]!;
  let good = notLess(last, macLength + paddingLength);
  if (maxPadding === undefined) {
    const scanned = Math.min(MAX_PADDING_BYTES, plaintext.length);
    let different = 0;
    for (let at = 0; at < scanned; at += 1) {
      const inPadding = -notLess(paddingLength, at);
      different |= inPadding & (plaintext[last - at]! ^ paddingLength);
    }
    good &= isZero(different);
  } else {
    good &= notLess(maxPadding - 1, paddingLength);
  }
  const length = last - macLength - (paddingLength & -good);
  // `good` and `length` stay secret until the caller's one verdict.
  return { good, length };
}

/**
 * The MAC behind the first `length` bytes, where `length` is secret: every byte where it could begin is read, into a
 * buffer that is then rotated to its beginning.
 */
export function extractMac(plaintext: Buffer, length: number, macLength: number): Buffer {
  const from = Math.max(0, plaintext.length - macLength - MAX_PADDING_BYTES);
  const rotated = Buffer.alloc(macLength);
  // secret from here: `length`, and so where the MAC lies.
  let rotation = 0;
  for (let at = from, slot = 0; at < plaintext.length; at += 1) {
    const inMac = -(notLess(at, length) & notLess(length + macLength - 1, at));
    rotated[slot]! |= plaintext[at]! & inMac;
    rotation |= slot & -isZero(at ^ length);
    slot = slot + 1 === macLength ? 0 : slot + 1;
  }
  const mac = Buffer.alloc(macLength);
  for (let slot = 0; slot < macLength; slot += 1) {
    let wanted = rotation + slot;
    wanted -= macLength & -notLess(wanted, macLength);
    let byte = 0;
    for (let at = 0; at < macLength; at += 1) byte |= rotated[at]! & -isZero(at ^ wanted);
    mac[slot] = byte;
  }
  return mac;
}

/** 1 where a >= b, else 0; both below 2^30. */
function notLess(a: number, b: number): number {
  return ((a - b) >>> 31) ^ 1;
}

/** 1 for 0, else 0; of at most 31 bits. */
function isZero(value: number): number {
  return ((value | -value) >>> 31) ^ 1;
}

/** padding_length is one byte, and counts itself out. */
const MAX_PADDING_BYTES = 256;
