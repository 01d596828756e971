/** What a cipher suite is called in logs: OpenSSL's name, the registry's for TLS 1.3, the number where we know none. */
import { CIPHER_SUITE_BY_ID } from '../../tls/index.js';

export function suiteName(id: number): string {
  return (
    TLS_1_3_SUITES.get(id) ??
    CIPHER_SUITE_BY_ID.get(id)?.opensslName ??
    `0x${id.toString(16).padStart(4, '0')}`
  );
}

/** RFC 8446, B.4. */
export const TLS_1_3_SUITES: ReadonlyMap<number, string> = new Map([
  [0x1301, 'TLS_AES_128_GCM_SHA256'],
  [0x1302, 'TLS_AES_256_GCM_SHA384'],
  [0x1303, 'TLS_CHACHA20_POLY1305_SHA256'],
]);
