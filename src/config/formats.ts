/** How single values are written in the configuration, and what they become. */

export interface Format<T> {
  /** What an admin may write, for error messages and documentation. */
  readonly allowed: string;
  /** Undefined for what is not allowed. */
  parse(value: unknown): T | undefined;
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

export function oneOf<const T extends string>(...values: readonly T[]): Format<T> {
  return {
    allowed: values.map((value) => JSON.stringify(value)).join(', '),
    parse: (value) => values.find((known) => known === value),
  };
}

export const text: Format<string> = {
  allowed: 'a string that is not empty',
  parse: (value) => (typeof value === 'string' && value !== '' ? value : undefined),
};

export const flag: Format<boolean> = {
  allowed: 'true or false',
  parse: (value) => (typeof value === 'boolean' ? value : undefined),
};

export const count: Format<number> = {
  allowed: 'a whole number from 1 up',
  parse: (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined,
};

export const countOrNone: Format<number> = {
  allowed: 'a whole number from 0 up',
  parse: (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined,
};

/** RFC 7469, 2.4: a SHA-256 in base64. */
export const pin: Format<string> = {
  allowed: 'the SHA-256 of a public key in base64, 44 characters that end in "="',
  parse: (value) => (typeof value === 'string' && /^[A-Za-z0-9+/]{43}=$/.test(value) ? value : undefined),
};

/** Milliseconds. */
export const duration: Format<number> = {
  allowed: 'a duration such as "500ms", "30s", "5m" or "1h"',
  parse(value) {
    const match = typeof value === 'string' ? /^(\d{1,9})(ms|s|m|h)$/.exec(value) : null;
    const milliseconds = match && Number(match[1]) * DURATION_UNITS[match[2] as keyof typeof DURATION_UNITS];
    // A timer with a longer delay than this would fire at once.
    return milliseconds && milliseconds < 2 ** 31 ? milliseconds : undefined;
  },
};

export const address: Format<HostAndPort> = {
  allowed: 'an address and port such as "0.0.0.0:25", "[::]:25" or "mail.example.com:25"',
  parse(value) {
    const match =
      typeof value === 'string' ? /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(value) : null;
    const host = match?.[1] ?? match?.[2];
    return host === undefined || Number(match![3]) > 65_535 ? undefined : { host, port: Number(match![3]) };
  },
};

/** CIDR, kept as written. */
export const networks: Format<readonly string[]> = {
  allowed: 'a list of networks such as ["192.0.2.0/24", "2001:db8::/32"]',
  parse(value) {
    if (!Array.isArray(value)) return undefined;
    return value.every((one) => typeof one === 'string' && NETWORK.test(one))
      ? (value as string[])
      : undefined;
  },
};

const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const NETWORK =
  /^(?:\d{1,3}(?:\.\d{1,3}){3}(?:\/(?:[0-9]|[12]\d|3[0-2]))?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:\/(?:\d{1,2}|1[01]\d|12[0-8]))?)$/;
