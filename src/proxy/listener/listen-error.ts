/** Explains why oldhello cannot listen on an address, with the next step. */
import type { ListenerConfig } from '../../config/schema.js';
import { hostAndPort } from '../../net/endpoint.js';

export class ListenError extends Error {
  constructor({ address: { host, port } }: Pick<ListenerConfig, 'address'>, cause: NodeJS.ErrnoException) {
    super(`cannot listen on ${hostAndPort(host, port)}: ${explain(cause, port)}`, { cause });
    this.name = 'ListenError';
  }
}

function explain({ code, message }: NodeJS.ErrnoException, port: number): string {
  switch (code) {
    case 'EACCES':
      return port < FIRST_UNPRIVILEGED_PORT ? PRIVILEGED : 'not permitted';
    case 'EADDRINUSE':
      return 'another program listens there, or another [[listener]] has an address that includes this one';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have that address; IPv6 may be switched off';
    case 'ENOTFOUND':
      return 'there is no such host';
    default:
      return message;
  }
}

/** Linux' default; net.ipv4.ip_unprivileged_port_start moves it. */
const FIRST_UNPRIVILEGED_PORT = 1024;
const PRIVILEGED =
  'ports below 1024 need the capability CAP_NET_BIND_SERVICE (AmbientCapabilities= in the systemd unit, or ' +
  'setpriv --ambient-caps=+net_bind_service), a socket from systemd (oldhello-port@.socket), or the sysctl ' +
  'net.ipv4.ip_unprivileged_port_start; docs/operation.md has each of them';
