/** The configuration of the oldhello under soak: every client has the same address, and nobody may stay for long. */
import { TIMEOUTS } from './fault.js';
import { BOTH_MODES, proxyConfig } from '../support/proxy-config.js';

/** @param backend port */
export function soakConfig(backend: number): string {
  return proxyConfig({
    listeners: BOTH_MODES,
    backend: { address: backend },
    tls: { profile: 'ancient' },
    limits: {
      'max-connections-per-address': 2000,
      'handshakes-per-second': 0,
      'handshakes-per-second-per-address': 0,
      'starttls-suppress-after': 0,
      'handshake-timeout': `${TIMEOUTS.handshake}s`,
      'command-timeout': `${TIMEOUTS.command}s`,
      'idle-timeout': `${TIMEOUTS.idle}s`,
    },
    log: { level: 'debug' },
  });
}
