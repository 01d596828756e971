/** The ways in which clients' mail reaches a backend, each of which has to be right by itself. */
import type { BackendConfig, Config } from '../config/schema.js';

export interface DeliveryPath {
  /** "in clear", for the report. */
  readonly name: string;
  /** What oldhello does at the beginning of such a session. */
  readonly security: 'none' | 'starttls' | 'implicit';
  /** Whether a client's STARTTLS is passed on in it. */
  readonly bridged: boolean;
}

export function deliveryPathsTo(backend: BackendConfig, { listeners }: Config): readonly DeliveryPath[] {
  const modes = listeners.filter((one) => one.backend === backend.name).map(({ mode }) => mode);
  const inClear = modes.includes('starttls') || modes.length === 0;
  switch (backend.tls) {
    case 'none':
      return [IN_CLEAR];
    case 'starttls':
      return inClear ? [IN_CLEAR, STARTTLS] : [STARTTLS];
    case 'implicit':
      return [IMPLICIT];
    case 'bridge':
      return [...(inClear ? [BRIDGED] : []), ...(modes.includes('implicit') ? [IMPLICIT] : [])];
  }
}

const IN_CLEAR: DeliveryPath = { name: 'in clear', security: 'none', bridged: false };
const STARTTLS: DeliveryPath = { name: 'over STARTTLS', security: 'starttls', bridged: false };
const IMPLICIT: DeliveryPath = { name: 'over TLS from the first byte', security: 'implicit', bridged: false };
const BRIDGED: DeliveryPath = { name: 'with STARTTLS passed on', security: 'none', bridged: true };
