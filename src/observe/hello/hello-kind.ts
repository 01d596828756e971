/** How old a hello is: the one definition for the status page, the report and the census. */

/** From the oldest. The text is a label in pages. */
export const HELLO_KINDS = {
  sslv2: 'SSLv2-format hello',
  ssl3: 'SSLv3 at most',
  tls10: 'TLS 1.0 or 1.1 at most',
  tls12: 'TLS 1.2, outdated suites only',
  modern: 'TLS 1.2 or newer',
} as const satisfies Record<string, string>;

export type HelloKind = keyof typeof HELLO_KINDS;

export type OldKind = Exclude<HelloKind, 'modern'>;

export const OLD_KINDS = ['sslv2', 'ssl3', 'tls10', 'tls12'] as const satisfies readonly OldKind[];

/**
 * A hello is old if it needs something that current TLS libraries lack (`needs.ts`).
 * @param hello as in an event or a line of the log
 */
export function helloKind(hello: {
  readonly format: string;
  readonly version: string;
  readonly needs: readonly string[];
}): HelloKind {
  if (hello.needs.length === 0) return 'modern';
  if (hello.format === 'sslv2') return 'sslv2';
  if (hello.version === 'SSLv3' || hello.version === 'SSLv2') return 'ssl3';
  return hello.version === 'TLSv1' || hello.version === 'TLSv1.1' ? 'tls10' : 'tls12';
}

export type HelloCounts = Record<HelloKind, number>;

export function noHellos(): HelloCounts {
  return { sslv2: 0, ssl3: 0, tls10: 0, tls12: 0, modern: 0 };
}
