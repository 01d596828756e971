/** Which TLS is too weak for a password. */

/**
 * Before TLS 1.2, or with RC4, DES or 3DES (RFC 8996, RFC 7465, RFC 8429).
 * @param version "SSLv3", "TLSv1.2" …
 * @param suite OpenSSL's name
 */
export function isWeakTls({ version, suite }: { readonly version: string; readonly suite: string }): boolean {
  return !STRONG_VERSIONS.has(version) || /RC4|DES/.test(suite);
}

const STRONG_VERSIONS = new Set(['TLSv1.2', 'TLSv1.3']);
