/** Every limit on the number of things that a client can run into, by the name it has in the log and the metrics. */

interface LimitRow {
  readonly meaning: string;
  /** What the admin can do about it. */
  readonly remedy: string;
}

export const LIMITS = {
  'max-connections': {
    meaning: 'there are too many connections in total',
    remedy: 'see in the log which clients have them; raise max-connections in [limits] if they are welcome',
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
      'raise LimitNOFILE= in the systemd unit, or ulimit -n; descriptors_short in the log says what it is enough for',
  },
  'max-handshakes': {
    meaning: 'too many TLS handshakes run at the same time',
    remedy:
      'see in the log which clients begin handshakes and do not end them; raise max-handshakes in [limits] if all are welcome',
  },
  'handshakes-per-second': {
    meaning: 'too many TLS handshakes begin in a second, in total',
    remedy: 'raise handshakes-per-second in [limits] if the processor has time left',
  },
  'handshakes-per-second-per-address': {
    meaning: 'too many TLS handshakes begin in a second from this IPv4 address, or /64 of IPv6',
    remedy: 'raise handshakes-per-second-per-address in [limits] if the client is welcome',
  },
} as const satisfies Record<string, LimitRow>;

export type LimitName = keyof typeof LIMITS;
