/** GenericStreamCipher: RC4 over content and MAC (RFC 5246, 6.2.3.1). */
import { timingSafeEqual } from 'node:crypto';
import { TlsError } from '../alert.js';
import { Rc4 } from '../crypto/rc4.js';
import { RECORD_HEADER_LENGTH } from './deframer.js';
import { RecordMac } from './mac.js';
import {
  newRecord,
  type ProtectionParameters,
  type ReadProtection,
  type WriteProtection,
} from './protection.js';

export function streamWriteProtection({ version, suite, keys }: ProtectionParameters): WriteProtection {
  const rc4 = new Rc4(keys.key);
  const mac = new RecordMac(version, suite.mac!, keys.macKey);
  return {
    seal(type, plaintext) {
      const record = newRecord(type, version, plaintext.length + mac.length);
      const fragment = record.subarray(RECORD_HEADER_LENGTH);
      fragment.set(plaintext);
      fragment.set(mac.compute(type, plaintext), plaintext.length);
      rc4.crypt(fragment);
      return [record];
    },
  };
}

export function streamReadProtection({ version, suite, keys }: ProtectionParameters): ReadProtection {
  const rc4 = new Rc4(keys.key);
  const mac = new RecordMac(version, suite.mac!, keys.macKey);
  return {
    open(type, fragment) {
      if (fragment.length < mac.length) throw new TlsError('bad_record_mac');
      rc4.crypt(fragment);
      const content = fragment.subarray(0, fragment.length - mac.length);
      if (!timingSafeEqual(mac.compute(type, content), fragment.subarray(content.length))) {
        throw new TlsError('bad_record_mac');
      }
      return content;
    },
  };
}
