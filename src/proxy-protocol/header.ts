/**
 * The PROXY protocol, versions 1 and 2: who a connection really comes from, said before its first byte. Whether a header
 * is to be expected is the caller's knowledge; it is never guessed from the bytes.
 */
import type { Endpoint } from '../net/endpoint.js';
import type { Tlv } from './tlv.js';
import { decodeV1, V1_SIGNATURE } from './v1.js';
import { decodeV2, V2_SIGNATURE } from './v2.js';

export interface ProxyHeader {
  /** LOCAL and UNKNOWN speak for nobody: the connection's own addresses count. */
  readonly command: 'PROXY' | 'LOCAL' | 'UNKNOWN';
  readonly source?: Endpoint;
  readonly destination?: Endpoint;
  /** Version 2 only. */
  readonly tlvs?: readonly Tlv[];
}

export type DecodedProxyHeader =
  | { readonly need: 'more' }
  | { readonly header: ProxyHeader; readonly consumed: number }
  | { readonly malformed: string };

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
