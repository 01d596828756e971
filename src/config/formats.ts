/** Formats of single values in the configuration file, and the values made from them. */
import { isIP } from 'node:net';
import { parseBackendAddress, type BackendAddress } from '../net/backend-address.js';
import { parseHostAndPort, type HostAndPort } from '../net/endpoint.js';
import { addressBytes } from '../net/ip-address.js';

export interface Format<T> {
  /** What the file may contain, for error messages and documentation. */
  readonly allowed: string;
  /** The allowed words, if only these are allowed. */
  readonly words?: readonly string[];
  /** The format of each element, if the value is a list. */
  readonly element?: Format<unknown>;
  /** Whether a list of one element may be written as that element. */
  readonly mayBeSingle?: true;
  /** Set if a secret may have been written here by mistake, so that no message may show the value. */
  readonly isHidden?: true;
  /** Set if the value names a file or folder. */
  readonly isPath?: true;
  /** Converts text to the value; undefined for text that is not allowed. */
  readonly coerce?: (text: string) => T | undefined;
  /** Checks the converted value. */
  readonly isValid: (value: unknown) => boolean;
}

/** Location of a Redis or Valkey server. */
export interface StoreUrl extends HostAndPort {
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly database: number;
}

export function oneOf<const T extends string>(...values: readonly T[]): Format<T> {
  return {
    allowed: values.map((value) => JSON.stringify(value)).join(', '),
    words: values,
    isValid: (value) => values.some((known) => known === value),
  };
}

export const text: Format<string> = {
  allowed: 'a string that is not empty',
  isValid: isText,
};

/** Relative to the folder of the configuration file, or `credential:NAME` (see paths.ts). */
export const path: Format<string> = {
  allowed: 'a path, or "credential:NAME" for a credential of systemd',
  isPath: true,
  isValid: (value) => isText(value) && !value.includes('\0'),
};

export const flag: Format<boolean> = {
  allowed: 'true or false',
  isValid: (value) => typeof value === 'boolean',
};

export const count: Format<number> = {
  allowed: 'a whole number from 1 up',
  isValid: (value) => isWholeNumber(value) && value > 0,
};

export const workers: Format<number | 'auto'> = {
  allowed: 'a whole number from 1 up, or "auto"',
  isValid: (value) => value === 'auto' || count.isValid(value),
};

export const countOrNone: Format<number> = {
  allowed: 'a whole number from 0 up',
  isValid: (value) => isWholeNumber(value) && value >= 0,
};

/** RFC 7469, 2.4: a SHA-256 in base64. */
export const pin: Format<string> = {
  allowed: 'the SHA-256 of a public key in base64, 44 characters that end in "="',
  isValid: (value) => isText(value) && /^[A-Za-z0-9+/]{43}=$/.test(value),
};

/** In milliseconds. */
export const duration: Format<number> = {
  allowed: 'a duration such as "500ms", "30s", "5m" or "1h"',
  coerce(written) {
    const match = /^(\d{1,9})(ms|s|m|h)$/.exec(written);
    return match === null ? undefined : Number(match[1]) * DURATION_UNITS_MS[match[2] as DurationUnit];
  },
  isValid: (value) => isWholeNumber(value) && value > 0 && value <= MAX_TIMER_MS,
};

export const durationOrNone: Format<number> = {
  allowed: 'a duration such as "30s" or "5m", or "0" for never',
  coerce: (written) => (written === '0' ? 0 : duration.coerce!(written)),
  isValid: (value) => value === 0 || duration.isValid(value),
};

export const address: Format<HostAndPort> = {
  allowed: 'an address and port such as "0.0.0.0:25", "[::]:25" or "mail.example.com:25"',
  coerce: parseHostAndPort,
  isValid: isObject,
};

const backendAddress: Format<BackendAddress> = {
  allowed:
    'an address and port such as "127.0.0.1:25" or "mail.example.com:25", or a socket as "unix:/run/mta.sock"',
  coerce: parseBackendAddress,
  isValid: isObject,
};

/** At least one. */
export const backendAddresses: Format<readonly BackendAddress[]> = {
  allowed: `${backendAddress.allowed}, or a list of them`,
  element: backendAddress,
  mayBeSingle: true,
  isValid: (value) => Array.isArray(value) && value.length > 0 && value.every(backendAddress.isValid),
};

/** Without a password, because a configuration file is no place for secrets. */
export const storeUrl: Format<StoreUrl> = {
  allowed:
    'a URL such as "redis://127.0.0.1:6379/0", or "rediss://user@store.example:6380" for TLS; without a password, for which there is password-file',
  isHidden: true,
  coerce(written) {
    const match = STORE_URL.exec(written);
    if (match === null) return undefined;
    const [, scheme, username, host, port = '6379', database = '0'] = match;
    const place = parseHostAndPort(`${host}:${port}`);
    return place && { ...place, tls: scheme === 'rediss', username, database: Number(database) };
  },
  isValid: isObject,
};

const hostName: Format<string> = {
  allowed: 'a host name such as "mail.example.com"',
  coerce: (written) => written.toLowerCase(),
  isValid: (value) => isText(value) && /^[0-9a-z](?:[0-9a-z.-]{0,252})$/.test(value),
};

/** Without a port, in lower case. */
export const names = listOf(hostName, 'a list of host names such as ["mail.example.com"]');

const serverName: Format<string> = {
  allowed: 'a host name such as "mail.example.com" or "*.example.com"',
  coerce: (written) => written.toLowerCase(),
  isValid: (value) => isText(value) && hostName.isValid(value.startsWith('*.') ? value.slice(2) : value),
};

/** As certificates have them, in lower case. */
export const serverNames = listOf(
  serverName,
  'a list of host names such as ["mail.example.com", "*.example.org"]',
);

/** CIDR or a single address, kept as written. */
export const network: Format<string> = {
  allowed: 'a network or address such as "192.0.2.0/24", "2001:db8::/32" or "192.0.2.7"',
  isValid(value) {
    if (!isText(value) || value.includes('%')) return false;
    const [base = '', prefix, ...more] = value.split('/');
    const family = isIP(base);
    if (family === 0 || more.length > 0) return false;
    if (prefix === undefined) return true;
    // A shorter one would contain all of IPv4, which "::ffff:10.0.0.0/8" does not say.
    const isMapped = family === 6 && addressBytes(base)?.length === 4;
    const [min, max] = family === 4 ? [0, 32] : [isMapped ? 96 : 0, 128];
    return /^\d{1,3}$/.test(prefix) && Number(prefix) >= min && Number(prefix) <= max;
  },
};

export const networks = listOf(network, 'a list of networks such as ["192.0.2.0/24", "2001:db8::/32"]');

function listOf<T>(element: Format<T>, allowed: string): Format<readonly T[]> {
  return { allowed, element, isValid: (value) => Array.isArray(value) && value.every(element.isValid) };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

const STORE_URL = /^(rediss?):\/\/(?:([\w.-]+)@)?(\[[^\]]+\]|[^:[\]\s/@]+)(?::(\d{1,5}))?(?:\/(\d{1,4}))?$/;
const DURATION_UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
type DurationUnit = keyof typeof DURATION_UNITS_MS;
/** A timer with a longer delay fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
