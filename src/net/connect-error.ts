/** Why a TCP connection could not be made, and the next step, for each error of the system that has a usual cause. */

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

/** Undefined for an error that has no usual cause. */
export function connectProblem(code: string | undefined): ConnectProblem | undefined {
  return code !== undefined && Object.hasOwn(PROBLEMS, code)
    ? PROBLEMS[code as keyof typeof PROBLEMS]
    : undefined;
}
