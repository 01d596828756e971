/** How single values are written in the configuration, and what they become. */
import { isIP } from 'node:net';
import { parseHostAndPort, type HostAndPort } from '../net/endpoint.js';

export interface Format<T> {
  /** What an admin may write, for error messages and documentation. */
  readonly allowed: string;
  /** Where only certain words will do: these. */
  readonly words?: readonly string[];
  /** Where the value is a list: what each element must be. */
  readonly element?: Format<unknown>;
  /** Whether somebody could have written a secret in it by mistake, so that no message may show it. */
  readonly isHidden?: true;
  /** Whether the value names a file or folder. */
  readonly isPath?: true;
  /** Undefined for what is not allowed. */
  parse(value: unknown): T | undefined;
}

/** Where a Redis or Valkey is. */
export interface StorePlace extends HostAndPort {
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly database: number;
}

export function oneOf<const T extends string>(...values: readonly T[]): Format<T> {
  return {
    allowed: values.map((value) => JSON.stringify(value)).join(', '),
    words: values,
    parse: (value) => values.find((known) => known === value),
  };
}

export const text: Format<string> = {
  allowed: 'a string that is not empty',
  parse: (value) => (typeof value === 'string' && value !== '' ? value : undefined),
};

/** Relative to the folder of the configuration file, or `credential:NAME` (see paths.ts). */
export const path: Format<string> = {
  allowed: 'a path, or "credential:NAME" for a credential of systemd',
  isPath: true,
  parse: (value) => (typeof value === 'string' && value !== '' && !value.includes('\0') ? value : undefined),
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

export const workers: Format<number | 'auto'> = {
  allowed: 'a whole number from 1 up, or "auto"',
  parse: (value) => (value === 'auto' ? value : count.parse(value)),
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
  parse: (value) => (typeof value === 'string' ? parseHostAndPort(value) : undefined),
};

/** A password would not stay secret in it. */
export const storeUrl: Format<StorePlace> = {
  allowed:
    'a URL such as "redis://127.0.0.1:6379/0", or "rediss://user@store.example:6380" for TLS; without a password, which has a file of its own',
  isHidden: true,
  parse(value) {
    const match =
      typeof value === 'string'
        ? /^(rediss?):\/\/(?:([\w.-]+)@)?(\[[^\]]+\]|[^:[\]\s/@]+)(?::(\d{1,5}))?(?:\/(\d{1,4}))?$/.exec(
            value,
          )
        : null;
    if (match === null) return undefined;
    const [, scheme, username, host, port = '6379', database = '0'] = match;
    const place = address.parse(`${host}:${port}`);
    return place && { ...place, tls: scheme === 'rediss', username, database: Number(database) };
  },
};

const name: Format<string> = {
  allowed: 'a host name such as "mail.example.com"',
  parse: (value) =>
    typeof value === 'string' && /^[0-9A-Za-z](?:[0-9A-Za-z.-]{0,252})$/.test(value)
      ? value.toLowerCase()
      : undefined,
};

/** Without a port, in lower case. */
export const names: Format<readonly string[]> = {
  allowed: 'a list of host names such as ["mail.example.com"]',
  element: name,
  parse(value) {
    if (!Array.isArray(value)) return undefined;
    const parsed = value.map((one) => name.parse(one));
    return parsed.every((one) => one !== undefined) ? parsed : undefined;
  },
};

/** CIDR or a single address, kept as written. */
export const network: Format<string> = {
  allowed: 'a network or address such as "192.0.2.0/24", "2001:db8::/32" or "192.0.2.7"',
  parse(value) {
    if (typeof value !== 'string' || value.includes('%')) return undefined;
    const [address = '', prefix, ...more] = value.split('/');
    const family = isIP(address);
    if (family === 0 || more.length > 0) return undefined;
    if (prefix === undefined) return value;
    return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128) ? value : undefined;
  },
};

export const networks: Format<readonly string[]> = {
  allowed: 'a list of networks such as ["192.0.2.0/24", "2001:db8::/32"]',
  element: network,
  parse: (value) =>
    Array.isArray(value) && value.every((one) => network.parse(one) !== undefined)
      ? (value as string[])
      : undefined,
};

const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
