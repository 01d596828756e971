/** What protects records, one direction each, and the null protection that comes first. */
import type { CipherSuite } from '../cipher-suites.js';
import type { ContentType, ProtocolVersion } from '../code-points.js';
import { RECORD_HEADER_LENGTH } from './deframer.js';

export interface WriteProtection {
  /** One whole record, header first, in pieces that are the caller's: what OpenSSL gives out is not copied again. */
  seal(type: ContentType, plaintext: Uint8Array): Buffer[];
}

export interface ReadProtection {
  /**
   * The plaintext of one record; may decrypt in place and return a view.
   * @throws TlsError bad_record_mac, whatever is wrong
   */
  open(type: ContentType, fragment: Buffer): Buffer;
}

/** Empty where the suite has no use for one. */
export interface DirectionKeys {
  readonly macKey: Buffer;
  readonly key: Buffer;
  readonly iv: Buffer;
}

export interface ProtectionParameters {
  readonly version: ProtocolVersion;
  readonly suite: CipherSuite;
  readonly keys: DirectionKeys;
  /** RFC 7366; of a CBC suite only. */
  readonly encryptThenMac: boolean;
  readonly random: (length: number) => Buffer;
}

/** Before ChangeCipherSpec: TLS_NULL_WITH_NULL_NULL. */
export function nullWriteProtection(version: ProtocolVersion): WriteProtection {
  return {
    seal(type, plaintext) {
      const record = newRecord(type, version, plaintext.length);
      record.set(plaintext, RECORD_HEADER_LENGTH);
      return [record];
    },
  };
}

export const nullReadProtection: ReadProtection = { open: (_type, fragment) => fragment };

/**
 * A record with its header written and room for the first `room` bytes of its fragment of `length`, all of it by
 * default, which the caller must fill.
 */
export function newRecord(
  type: ContentType,
  version: ProtocolVersion,
  length: number,
  room = length,
): Buffer {
  const record = Buffer.allocUnsafe(RECORD_HEADER_LENGTH + room);
  record[0] = type;
  record.writeUInt16BE(version, 1);
  record.writeUInt16BE(length, 3);
  return record;
}
