/**
 * Lists of numbers as text, written digit by digit into one buffer: a hostile hello has 8,000 numbers, and joining as
 * many strings costs milliseconds.
 */

/** "4-5-10" */
export function decimalList(values: readonly number[]): Buffer {
  const buffer = Buffer.allocUnsafe(values.length * (MAX_DECIMAL_DIGITS + 1));
  let at = 0;
  for (const value of values) {
    if (at > 0) buffer[at++] = HYPHEN;
    let divisor = 1;
    while (value >= divisor * 10) divisor *= 10;
    for (; divisor >= 1; divisor /= 10) buffer[at++] = ZERO + (Math.floor(value / divisor) % 10);
  }
  return buffer.subarray(0, at);
}

/** "0004,000a", each number with as many digits */
export function hexList(values: ArrayLike<number>, digits: number, separator: ',' | '-' = ','): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  const width = digits + 1;
  const buffer = Buffer.alloc(values.length * width - 1, separator);
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    for (let digit = 0; digit < digits; digit++) {
      buffer[index * width + digit] = HEX_DIGITS[(value >> (4 * (digits - 1 - digit))) & 0xf]!;
    }
  }
  return buffer;
}

const HYPHEN = 0x2d;
const ZERO = 0x30;
const HEX_DIGITS = Buffer.from('0123456789abcdef');
/** Of 65535. */
const MAX_DECIMAL_DIGITS = 5;
