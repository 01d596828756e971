/**
 * The proxy itself, with its limits out of the way. It tells the backend who the client is, as it should be set up; the
 * other proxies are not asked to. V8 has the room for new objects that it has under systemd/oldhello.service.
 */
import { fileURLToPath } from 'node:url';
import { nothing, write, type Peer, type PeerSetup } from './peer.js';

const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

/** @param modern who serves clients of TLS 1.2 and later: Node's TLS, or the engine that has the older ones anyway */
export function oldhello(
  mode: 'implicit' | 'starttls',
  modern: 'terminate' | 'engine' = 'terminate',
  name = 'oldhello',
  firstSession: 'learnt' | 'live' = 'learnt',
): Peer {
  return {
    name,
    justInTime: true,
    lack: nothing,
    command(setup) {
      const file = write(setup, 'oldhello.toml', configuration(setup, mode, modern, firstSession));
      return [process.execPath, '--max-semi-space-size=8', CLI, 'serve', '--config', file];
    },
  };
}

function configuration(setup: PeerSetup, mode: string, modern: string, firstSession: string): string {
  return `
[server]
hostname = "bench.example"
state-directory = ${JSON.stringify(setup.folder)}
workers = ${JSON.stringify(setup.workers)}
[[listener]]
name = "bench"
address = "127.0.0.1:${setup.port}"
mode = "${mode}"
backend = "mta"
[[backend]]
name = "mta"
address = "127.0.0.1:${setup.backend}"
identity = "proxy-v2"
modern = "${modern}"
first-session = "${firstSession}"
[[certificate]]
chain = ${JSON.stringify(setup.certificate)}
key = ${JSON.stringify(setup.key)}
[limits]
max-connections = 20000
max-connections-per-address = 20000
max-handshakes = 20000
handshakes-per-second = 0
handshakes-per-second-per-address = 0
`;
}
