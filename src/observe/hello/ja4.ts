/**
 * JA4 of a ClientHello over TCP: what it offers, in a form that people can read and sort. Lists are sorted, because
 * some clients shuffle them. As FoxIO published it (technical_details/JA4.md).
 */
import { ExtensionType, type ClientHello } from '../../tls/index.js';
import { isGrease, numbers, supportedVersions } from './hello-numbers.js';
import { createHash } from 'node:crypto';
import { hexList } from './number-list.js';

export interface Offered {
  readonly suites: readonly number[];
  readonly extensions: readonly number[];
}

/** @param offered the suites and the types of extensions, GREASE left out */
export function ja4(hello: ClientHello, { suites, extensions }: Offered): string {
  const versions = supportedVersions(hello);
  const version = versions.length === 0 ? hello.clientVersion : Math.max(...versions);
  const destination = extensions.includes(ExtensionType.server_name) ? 'd' : 'i';
  const start = `t${shortVersion(version)}${destination}${twoDigits(suites.length)}${twoDigits(extensions.length)}`;
  return [start + alpn(hello), shortHash(sortedHexList(suites, 4)), extensionHash(hello, extensions)].join(
    '_',
  );
}

/** Without server name and ALPN, which are in the first part: otherwise one program would differ by destination. */
function extensionHash(hello: ClientHello, extensions: readonly number[]): string {
  const types = extensions.filter((type) => !IN_FIRST_PART.has(type));
  if (types.length === 0) return NOTHING;
  const schemes = numbers(hello.extensions?.get(ExtensionType.signature_algorithms), 2, 2).filter(
    (scheme) => !isGrease(scheme),
  );
  const signed = schemes.length === 0 ? [] : [UNDERSCORE, hexList(schemes, 4)];
  return shortHash(sortedHexList(types, 4), ...signed);
}

/** First and last character of the first protocol name; of its hex form if either is no letter or digit. */
function alpn({ extensions }: ClientHello): string {
  const list = extensions?.get(ExtensionType.application_layer_protocol_negotiation);
  const length = list?.[2] ?? 0;
  const name = list?.subarray(3, 3 + length);
  if (name === undefined || name.length === 0) return '00';
  const text = name.toString('latin1');
  const shown = /^[0-9A-Za-z](?:.*[0-9A-Za-z])?$/s.test(text) ? text : name.toString('hex');
  return shown.at(0)! + shown.at(-1)!;
}

export function shortVersion(version: number): string {
  return SHORT_VERSIONS.get(version) ?? '00';
}

export function twoDigits(count: number): string {
  return String(Math.min(count, 99)).padStart(2, '0');
}

/** Twelve hex digits of SHA-256 over a text in pieces; zeros if its list is empty. */
export function shortHash(list: Buffer, ...more: readonly Buffer[]): string {
  if (list.length === 0) return NOTHING;
  const hash = createHash('sha256').update(list);
  for (const piece of more) hash.update(piece);
  return hash.digest('hex').slice(0, NOTHING.length);
}

export function sortedHexList(values: readonly number[], digits: number): Buffer {
  return hexList(Uint32Array.from(values).sort(), digits);
}

const UNDERSCORE = Buffer.from('_');
const NOTHING = '000000000000';

const IN_FIRST_PART = new Set<number>([
  ExtensionType.server_name,
  ExtensionType.application_layer_protocol_negotiation,
]);

const SHORT_VERSIONS = new Map([
  [0x0304, '13'],
  [0x0303, '12'],
  [0x0302, '11'],
  [0x0301, '10'],
  [0x0300, 's3'],
  [0x0002, 's2'],
]);
