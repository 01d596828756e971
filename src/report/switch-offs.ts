/** What an administrator could switch off, and which needs of a hello that would break: one row each. */
import type { Need } from '../observe/hello/needs.js';
import type { LoggedConnection } from './log-line.js';

export interface SwitchOff {
  readonly title: string;
  /** How it is switched off. */
  readonly setting: string;
  readonly breaks: (needs: ReadonlySet<string>) => boolean;
}

const anyOf =
  (...codes: Need[]) =>
  (needs: ReadonlySet<string>): boolean =>
    codes.some((code) => needs.has(code));

export const SWITCH_OFFS = {
  sslv2_hello: {
    title: 'SSLv2-format hellos',
    setting: 'sslv2-hello = false',
    breaks: anyOf('sslv2_hello'),
  },
  sslv3: { title: 'SSLv3', setting: 'min-version = "TLSv1"', breaks: anyOf('sslv3') },
  tls1_0: {
    title: 'TLS 1.0 and older',
    setting: 'min-version = "TLSv1.1"',
    breaks: anyOf('sslv3', 'tls1_0'),
  },
  tls1_1: {
    title: 'TLS 1.1 and older',
    setting: 'min-version = "TLSv1.2"',
    breaks: anyOf('sslv3', 'tls1_0', 'tls1_1'),
  },
  rc4: { title: 'RC4', setting: 'rc4 = false', breaks: anyOf('rc4') },
  '3des': { title: '3DES', setting: 'triple-des = false', breaks: anyOf('3des') },
  rc4_and_3des: {
    title: 'RC4 and 3DES',
    setting: 'rc4 = false and triple-des = false',
    breaks: anyOf('rc4', '3des', 'rc4_or_3des'),
  },
  static_rsa: {
    title: 'static RSA key exchange',
    setting: 'profile = "intermediate"',
    breaks: anyOf('static_rsa'),
  },
} as const satisfies Record<string, SwitchOff>;

export type SwitchOffCode = keyof typeof SWITCH_OFFS;

export const SWITCH_OFF_CODES = Object.keys(SWITCH_OFFS) as SwitchOffCode[];

/** What would break an established TLS connection; a failed one cannot break. */
export function brokenBy({ hello, tls }: LoggedConnection): SwitchOffCode[] {
  if (hello === undefined || tls === undefined || hello.needs.length === 0) return NONE;
  const needs = new Set(hello.needs);
  return SWITCH_OFF_CODES.filter((code) => SWITCH_OFFS[code].breaks(needs));
}

const NONE: SwitchOffCode[] = [];
