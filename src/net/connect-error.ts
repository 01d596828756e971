/** Why a TCP connection could not be made, and the next step, for each error of the system that has a usual cause. */

export interface ConnectProblem {
  readonly meaning: string;
  readonly remedy: string;
}

const PROBLEMS = {
  ECONNREFUSED: {
    meaning: 'nothing listens there',
    remedy: 'see that the server runs, and that address and port are right (ss -ltn on its machine)',
  },
  ECONNRESET: {
    meaning: 'the connection was reset at once',
    remedy: 'see whether a firewall or an access list of the server rejects this machine',
  },
  ETIMEDOUT: {
    meaning: 'no answer at all',
    remedy: 'see whether a firewall drops the packets, and that the address is right',
  },
  EHOSTUNREACH: {
    meaning: 'the host cannot be reached',
    remedy: 'see that the host is up, and that a firewall does not reject this machine',
  },
  ENETUNREACH: {
    meaning: 'there is no route to that network',
    remedy: 'see the routes of this machine (ip route); for an IPv6 address, that it has IPv6 at all',
  },
  ENOTFOUND: {
    meaning: 'no such host name',
    remedy: 'see the spelling of the name, or give an IP address',
  },
  EAI_AGAIN: {
    meaning: 'the name could not be looked up, because no name server answered',
    remedy: 'see /etc/resolv.conf, or give an IP address',
  },
  EACCES: {
    meaning: 'this machine does not allow the connection',
    remedy: 'see the local firewall and the sandbox of the service',
  },
} as const satisfies Record<string, ConnectProblem>;

/** Undefined for an error that has no usual cause. */
export function connectProblem(code: string | undefined): ConnectProblem | undefined {
  return code !== undefined && Object.hasOwn(PROBLEMS, code)
    ? PROBLEMS[code as keyof typeof PROBLEMS]
    : undefined;
}
