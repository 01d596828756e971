/** RSA unpadding that does not show whether it succeeded (RFC 5246, 7.4.7.1). */

/**
 * The premaster secret in a raw RSA block, or `substitute` where the block is not PKCS#1 type 2 with 48 bytes that begin
 * with a right version. Which of the two takes no branch, no lookup and no exception to decide.
 * @param block as long as the modulus
 * @param substitute 48 random bytes, drawn before the block was decrypted
 */
export function unpadPremasterSecret(
  block: Buffer,
  clientVersion: number,
  substitute: Buffer,
  alsoAccept: number,
): Buffer {
  const from = block.length - substitute.length;
  // secret from here: the content of `block`; public: its length, both versions.
  let bad = block[0]! | (block[1]! ^ 2) | block[from - 1]!;
  for (let at = 2; at < from - 1; at += 1) bad |= ((block[at]! - 1) >> 31) & 1;
  const version = (block[from]! << 8) | block[from + 1]!;
  const wrong = isNonZero(version ^ clientVersion) & isNonZero(version ^ alsoAccept);
  const useSubstitute = -(isNonZero(bad) | wrong) & 0xff;
  const premasterSecret = Buffer.alloc(substitute.length);
  for (let at = 0; at < substitute.length; at += 1) {
    premasterSecret[at] = (substitute[at]! & useSubstitute) | (block[from + at]! & ~useSubstitute);
  }
  // public again
  return premasterSecret;
}

/** 1 for anything but 0, of at most 31 bits. */
function isNonZero(value: number): number {
  return ((value | -value) >>> 31) & 1;
}
