/** Every limit that a client can reach, by its name in the log and the metrics. */

interface LimitRow {
  readonly meaning: string;
  /** What the administrator can do about it. */
  readonly remedy: string;
}

export const LIMITS = {
  'max-connections': {
    meaning: 'there are too many connections in total',
    remedy: 'find these clients in the log; raise max-connections in [limits] if they are welcome',
  },
  'max-connections-per-address': {
    meaning: 'there are too many connections from this IPv4 address, or /64 of IPv6',
    remedy: 'raise max-connections-per-address in [limits] if the client is welcome',
  },
  'policy-max-connections': {
    meaning: 'there are too many connections from the networks of a [[policy]] entry',
    remedy: 'raise max-connections in that entry if they are welcome',
  },
  'open-files': {
    meaning: 'the limit on open files allows no further connection',
    remedy:
      'raise LimitNOFILE= in the systemd unit, or ulimit -n; descriptors_short in the log has the number that it allows',
  },
  'max-handshakes': {
    meaning: 'too many TLS handshakes run at the same time',
    remedy:
      'find the clients in the log whose handshakes do not end; raise max-handshakes in [limits] if all clients are welcome',
  },
  'handshakes-per-second': {
    meaning: 'too many TLS handshakes begin in a second, in total',
    remedy: 'raise handshakes-per-second in [limits] if the processor is not fully used',
  },
  'handshakes-per-second-per-address': {
    meaning: 'too many TLS handshakes begin in a second from this IPv4 address, or /64 of IPv6',
    remedy: 'raise handshakes-per-second-per-address in [limits] if the client is welcome',
  },
} as const satisfies Record<string, LimitRow>;

export type LimitName = keyof typeof LIMITS;
