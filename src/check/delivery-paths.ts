/** The ways in which the data of clients reaches a backend. Each is checked. */
import type { BackendConfig, Config, ListenerConfig } from '../config/schema.js';

export interface DeliveryPath {
  /** For the report, such as "in clear". */
  readonly name: string;
  /** The TLS of oldhello to the backend. */
  readonly security: 'none' | 'starttls' | 'implicit';
  /** Whether the client's STARTTLS is passed on to the backend. */
  readonly bridged: boolean;
  readonly smtp: boolean;
}

export function deliveryPathsTo(backend: BackendConfig, { listeners }: Config): readonly DeliveryPath[] {
  const modes = listeners.filter((one) => one.backend === backend.name).map(({ mode }) => mode);
  if (!modes.includes('tcp')) return smtpPathsTo(backend, modes);
  const other = modes.filter((mode) => mode !== 'tcp');
  return [
    backend.tls === 'none' ? TCP : TCP_IN_TLS,
    ...(other.length > 0 ? smtpPathsTo(backend, other) : []),
  ];
}

function smtpPathsTo(
  backend: BackendConfig,
  modes: readonly ListenerConfig['mode'][],
): readonly DeliveryPath[] {
  const inClear = modes.includes('starttls') || modes.length === 0;
  switch (backend.tls) {
    case 'none':
      return [IN_CLEAR];
    case 'starttls':
      return inClear ? [IN_CLEAR, STARTTLS] : [STARTTLS];
    case 'implicit':
      return [IMPLICIT];
    case 'observe':
      return [...(inClear ? [IN_CLEAR] : []), ...(modes.includes('implicit') ? [IMPLICIT] : [])];
    case 'bridge':
      return [...(inClear ? [BRIDGED] : []), ...(modes.includes('implicit') ? [IMPLICIT] : [])];
  }
}

const IN_CLEAR: DeliveryPath = { name: 'in clear', security: 'none', bridged: false, smtp: true };
const STARTTLS: DeliveryPath = { name: 'over STARTTLS', security: 'starttls', bridged: false, smtp: true };
const IMPLICIT: DeliveryPath = {
  name: 'over TLS from the first byte',
  security: 'implicit',
  bridged: false,
  smtp: true,
};
const BRIDGED: DeliveryPath = {
  name: 'with STARTTLS passed on',
  security: 'none',
  bridged: true,
  smtp: true,
};
const TCP: DeliveryPath = { name: 'as it comes', security: 'none', bridged: false, smtp: false };
const TCP_IN_TLS: DeliveryPath = { ...TCP, name: 'as it comes, over TLS', security: 'implicit' };
