/** The groups that Node's TLS can agree on, asked of the OpenSSL that it has. */
import { createSecureContext } from 'node:tls';

interface Group {
  /** TLS Supported Groups registry. */
  readonly id: number;
  readonly opensslName: string;
  /** Also before TLS 1.3, where only ECDHE is served natively (RFC 8422, 5.1.1). */
  readonly tls12: boolean;
}

/** In our order of preference. */
const GROUPS: readonly Group[] = [
  { id: 0x11ec, opensslName: 'X25519MLKEM768', tls12: false },
  { id: 0x001d, opensslName: 'X25519', tls12: true },
  { id: 0x0017, opensslName: 'P-256', tls12: true },
  { id: 0x0018, opensslName: 'P-384', tls12: true },
  { id: 0x001e, opensslName: 'X448', tls12: true },
  { id: 0x0019, opensslName: 'P-521', tls12: true },
  { id: 0x11eb, opensslName: 'SecP256r1MLKEM768', tls12: false },
  { id: 0x11ed, opensslName: 'SecP384r1MLKEM1024', tls12: false },
  { id: 0x0100, opensslName: 'ffdhe2048', tls12: false },
  { id: 0x0101, opensslName: 'ffdhe3072', tls12: false },
  { id: 0x0102, opensslName: 'ffdhe4096', tls12: false },
];

const supported = GROUPS.filter(({ opensslName }) => isSupported(opensslName));

/** For the `ecdhCurve` of a secure context: exactly the groups that `isNativeGroup` names. */
export const NATIVE_GROUP_LIST = supported.map(({ opensslName }) => opensslName).join(':');

const ids = { tls12: idsOf(supported.filter(({ tls12 }) => tls12)), tls13: idsOf(supported) };

/** Whether Node's TLS can agree on this group in this version. */
export function isNativeGroup(group: number, version: 'tls12' | 'tls13'): boolean {
  return ids[version].has(group);
}

function idsOf(groups: readonly Group[]): ReadonlySet<number> {
  return new Set(groups.map(({ id }) => id));
}

function isSupported(opensslName: string): boolean {
  try {
    createSecureContext({ ecdhCurve: opensslName });
    return true;
  } catch {
    return false;
  }
}
