/**
 * The PROXY protocol, versions 1 and 2: the client behind a load balancer, sent before the first byte of the connection.
 * The caller decides whether a header is expected; it is never guessed from the bytes.
 */
import type { DecodedProxyHeader } from './header.js';
import { decodeV1, V1_SIGNATURE } from './v1.js';
import { decodeV2, V2_SIGNATURE } from './v2.js';

/** @param bytes everything that came so far; called again with more where it asks for more */
export function decodeProxyHeader(bytes: Buffer): DecodedProxyHeader {
  if (startsAlike(bytes, V2_SIGNATURE)) {
    return bytes.length < V2_SIGNATURE.length ? { need: 'more' } : decodeV2(bytes);
  }
  if (startsAlike(bytes, V1_SIGNATURE)) {
    return bytes.length < V1_SIGNATURE.length ? { need: 'more' } : decodeV1(bytes);
  }
  return { malformed: 'no PROXY header' };
}

function startsAlike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.compare(signature, 0, length, 0, length) === 0;
}
