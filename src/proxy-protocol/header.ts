/** The content of a PROXY header, in both versions of the protocol. */
import type { Endpoint } from '../net/endpoint.js';
import type { Tlv } from './tlv.js';

export interface ProxyHeader {
  /** LOCAL and UNKNOWN name no client: the connection's own addresses count. */
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
