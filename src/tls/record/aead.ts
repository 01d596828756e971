/** GenericAEADCipher: AES-GCM (RFC 5288) and ChaCha20-Poly1305 (RFC 7905). */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { TlsError } from '../alert.js';
import type { BulkCipher } from '../cipher-suites.js';
import { RECORD_HEADER_LENGTH } from './deframer.js';
import {
  newRecord,
  type ProtectionParameters,
  type ReadProtection,
  type WriteProtection,
} from './protection.js';
import { SEQUENCE_LENGTH, SequencedHeader } from './sequence.js';

type AeadCipher = Extract<BulkCipher, { kind: 'aead' }>;

/** The name node:crypto types for one that takes AAD; all of ours do. */
const nodeName = ({ cipher }: AeadCipher): 'aes-128-gcm' => cipher as 'aes-128-gcm';

export function aeadWriteProtection(
  { version, keys }: ProtectionParameters,
  bulk: AeadCipher,
): WriteProtection {
  const header = new SequencedHeader(version);
  const { explicitNonceLength } = bulk;
  return {
    seal(type, plaintext) {
      const additional = header.next(type, plaintext.length);
      const sequence = additional.subarray(0, SEQUENCE_LENGTH);
      const cipher = createCipheriv(nodeName(bulk), keys.key, nonceFor(keys.iv, sequence), TAG);
      cipher.setAAD(additional);
      const length = explicitNonceLength + plaintext.length + TAG_LENGTH;
      const start = newRecord(type, version, length, explicitNonceLength);
      // RFC 5288, 3: the explicit part may be the sequence number, which never repeats.
      if (explicitNonceLength > 0) sequence.copy(start, RECORD_HEADER_LENGTH);
      const ciphertext = cipher.update(plaintext);
      cipher.final();
      return [start, ciphertext, cipher.getAuthTag()];
    },
  };
}

export function aeadReadProtection(
  { version, keys }: ProtectionParameters,
  bulk: AeadCipher,
): ReadProtection {
  const header = new SequencedHeader(version);
  const { explicitNonceLength } = bulk;
  return {
    open(type, fragment) {
      const length = fragment.length - explicitNonceLength - TAG_LENGTH;
      if (length < 0) throw new TlsError('bad_record_mac');
      const additional = header.next(type, length);
      const varying = explicitNonceLength > 0 ? fragment : additional;
      const nonce = nonceFor(keys.iv, varying.subarray(0, SEQUENCE_LENGTH));
      const decipher = createDecipheriv(nodeName(bulk), keys.key, nonce, TAG);
      decipher.setAAD(additional).setAuthTag(fragment.subarray(-TAG_LENGTH));
      const content = decipher.update(fragment.subarray(explicitNonceLength, -TAG_LENGTH));
      try {
        decipher.final();
      } catch {
        throw new TlsError('bad_record_mac');
      }
      return content;
    },
  };
}

/** RFC 7905, 2: XORed into the end of the IV; RFC 5288, 3: behind the salt, where there is nothing else. */
function nonceFor(iv: Buffer, varying: Uint8Array): Buffer {
  const nonce = Buffer.alloc(NONCE_LENGTH);
  iv.copy(nonce);
  const from = NONCE_LENGTH - SEQUENCE_LENGTH;
  for (let at = 0; at < SEQUENCE_LENGTH; at += 1) nonce[from + at]! ^= varying[at]!;
  return nonce;
}

/** Bytes. */
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const TAG = { authTagLength: TAG_LENGTH } as const;
