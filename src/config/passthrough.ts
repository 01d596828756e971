/** Where the TLS of a client is not ended here. */
import type { BackendConfig, Config } from './schema.js';

/** Whether the backend's own TLS serves some clients, or all. */
export function passesTlsOn(tls: BackendConfig['tls']): tls is 'bridge' | 'observe' {
  return tls === 'bridge' || tls === 'observe';
}

/** Whether any client's TLS can end here. */
export function endsTls({ backends }: Pick<Config, 'backends'>): boolean {
  return backends.some(({ tls }) => tls !== 'observe');
}
