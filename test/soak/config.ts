/** The configuration of the oldhello under soak: every client has the same address, and nobody may stay for long. */
import { TIMEOUTS } from './fault.js';

/** @param backend port */
export function soakConfig(backend: number): string {
  const listeners = ['starttls', 'implicit'].map(
    (mode) => `
[[listener]]
name = "${mode}"
address = "127.0.0.1:0"
mode = "${mode}"
backend = "sink"`,
  );
  return `
[server]
hostname = "proxy.example"
state-directory = "STATE"
${listeners.join('')}
[[backend]]
name = "sink"
address = "127.0.0.1:${backend}"
identity = "proxy-v2"
[tls]
profile = "ancient"
[limits]
max-connections-per-address = 2000
handshakes-per-second = 0
handshakes-per-second-per-address = 0
starttls-suppress-after = 0
handshake-timeout = "${TIMEOUTS.handshake}s"
command-timeout = "${TIMEOUTS.command}s"
idle-timeout = "${TIMEOUTS.idle}s"
[log]
level = "debug"
repeat-limit = 0
`;
}
