/** Every limit on the number of things that a client can run into, by the name it has in the log and the metrics. */

interface LimitRow {
  readonly means: string;
  /** What the admin can do about it. */
  readonly try: string;
}

export const LIMITS = {
  'max-connections': {
    means: 'there are too many connections in total',
    try: 'see who has them; raise max-connections in [limits] if they are welcome',
  },
  'max-connections-per-address': {
    means: 'there are too many connections from this IPv4 address, or /64 of IPv6',
    try: 'raise max-connections-per-address in [limits] if the client is welcome',
  },
  'policy-max-connections': {
    means: 'there are too many connections from the networks of a [[policy]] entry',
    try: 'raise max-connections in that entry if they are welcome',
  },
  'open-files': {
    means: 'the limit on open files allows no further connection',
    try: 'raise LimitNOFILE= in the systemd unit, or ulimit -n; descriptors_short in the log says what it is enough for',
  },
  'max-handshakes': {
    means: 'too many TLS handshakes run at the same time',
    try: 'see who begins handshakes and does not end them; raise max-handshakes in [limits] if all are welcome',
  },
  'handshakes-per-second': {
    means: 'too many TLS handshakes begin in a second, in total',
    try: 'raise handshakes-per-second in [limits] if the processor has time left',
  },
  'handshakes-per-second-per-address': {
    means: 'too many TLS handshakes begin in a second from this IPv4 address, or /64 of IPv6',
    try: 'raise handshakes-per-second-per-address in [limits] if the client is welcome',
  },
} as const satisfies Record<string, LimitRow>;

export type LimitName = keyof typeof LIMITS;
