/** Why a connection could not be made, and the next step, for each error of the system that has a usual cause. */
import { isUnixAddress, type BackendAddress } from './backend-address.js';

export interface ConnectProblem {
  readonly meaning: string;
  readonly remedy: string;
}

const PROBLEMS = {
  ECONNREFUSED: {
    meaning: 'no program listens there',
    remedy: 'check that the server runs, and that address and port are right (ss -ltn on its machine)',
  },
  ECONNRESET: {
    meaning: 'the connection was reset at once',
    remedy: 'check whether a firewall or an access list of the server rejects this machine',
  },
  ETIMEDOUT: {
    meaning: 'no answer at all',
    remedy: 'check the address, and whether a firewall drops the packets',
  },
  EHOSTUNREACH: {
    meaning: 'the host cannot be reached',
    remedy: 'check that the host is up, and that no firewall rejects this machine',
  },
  ENETUNREACH: {
    meaning: 'there is no route to that network',
    remedy: 'check the routes of this machine (ip route), and for an IPv6 address, whether it has IPv6',
  },
  ENOTFOUND: {
    meaning: 'no such host name',
    remedy: 'check the spelling of the name, or use an IP address',
  },
  EAI_AGAIN: {
    meaning: 'the name could not be looked up, because no name server answered',
    remedy: 'check /etc/resolv.conf, or use an IP address',
  },
  EACCES: {
    meaning: 'this machine does not allow the connection',
    remedy: 'check the local firewall and the sandbox of the service',
  },
} as const satisfies Record<string, ConnectProblem>;

/** By a Unix socket; see unix(7) and connect(2). */
const UNIX_PROBLEMS = {
  ECONNREFUSED: {
    meaning: 'the file is there, and nothing listens on it',
    remedy:
      'see that it is a socket (ls -l) and that the server runs (ss -lx); one that died leaves its socket behind',
  },
  ENOENT: {
    meaning: 'there is no such socket',
    remedy:
      'see that the server runs and where it makes its socket (ss -lx), and that no PrivateTmp= hides it',
  },
  EACCES: {
    meaning: 'this user may not use the socket',
    remedy:
      'let the user of the service write to the socket, and give it o+x or a group on each folder above it',
  },
} as const satisfies Record<string, ConnectProblem>;

/** Undefined for an error that has no usual cause. */
export function connectProblem(
  code: string | undefined,
  address?: BackendAddress,
): ConnectProblem | undefined {
  const problems: Readonly<Record<string, ConnectProblem>> =
    address !== undefined && isUnixAddress(address) ? UNIX_PROBLEMS : PROBLEMS;
  return code !== undefined && Object.hasOwn(problems, code) ? problems[code] : undefined;
}
