/** What a MAC costs is known to the compression, which is what Lucky 13 counts. */
import { test } from 'tap';
import { MAC_LENGTHS } from '../../../src/tls/cipher-suites.js';
import { RecordMac } from '../../../src/tls/record/mac.js';

/**
 * The most bytes of data before there is one compression more. In TLS 13 bytes come before them, and 9 or 17 behind
 * (RFC 5246, 6.2.3.1; FIPS 180-4, 5.1); in SSL 3.0 key, pad_1 and 11 bytes before them (RFC 6101, 5.2.3.1).
 */
const LAST_OF_FIRST_BLOCK = [
  [0x0301, 'md5', 64, 64 - 13 - 9],
  [0x0301, 'sha1', 64, 64 - 13 - 9],
  [0x0303, 'sha256', 64, 64 - 13 - 9],
  [0x0303, 'sha384', 128, 128 - 13 - 17],
  [0x0300, 'md5', 64, 2 * 64 - (16 + 48) - 11 - 9],
  [0x0300, 'sha1', 64, 2 * 64 - (20 + 40) - 11 - 9],
] as const;

test('one compression more begins where the hash begins it (Lucky 13)', async (t) => {
  for (const [version, algorithm, blockLength, last] of LAST_OF_FIRST_BLOCK) {
    const mac = new RecordMac(version, algorithm, Buffer.alloc(MAC_LENGTHS[algorithm]));
    const least = mac.blocks(0);
    const title = `${algorithm} ${version.toString(16)}`;
    for (let block = 0; block < 4; block += 1) {
      t.equal(mac.blocks(last + block * blockLength), least + block, `${title}: block ${block} is full`);
      t.equal(mac.blocks(last + block * blockLength + 1), least + block + 1, `${title}: a byte more`);
    }
  }
});
