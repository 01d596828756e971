/** One of a backend's addresses, as one attempt uses it. */
import type { BackendConfig } from '../../config/schema.js';
import { backendAddressText, isUnixAddress, type BackendAddress } from '../../net/backend-address.js';

export interface BackendTarget {
  readonly backend: BackendConfig;
  /** As configured. */
  readonly configured: BackendAddress;
  /** Where to connect: the configured address, or one of those that its host name has. */
  readonly address: BackendAddress;
}

/** "192.0.2.7:25", or "mail.example.com:25, 192.0.2.7:25" where a name was looked up. */
export function targetText({ configured, address }: BackendTarget): string {
  const texts = new Set([configured, address].map(backendAddressText));
  return [...texts].join(', ');
}

/** By which the certificate of a backend is checked, where nothing else is configured. */
export function hostOf(configured: BackendAddress): string {
  // No certificate is for a path; one on the same machine may have this name.
  return isUnixAddress(configured) ? 'localhost' : configured.host;
}
