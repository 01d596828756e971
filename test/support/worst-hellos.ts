/** Hellos as large as the engine reads them, each with as many of one thing as there is room for. */
import { helloBody, u16, vector16, type HelloOptions } from './test-client.js';
import { readHello } from './hellos.js';
import type { ClientHello } from '../../src/tls/index.js';

const count = (length: number): number[] => Array.from({ length }, (_, index) => index);
const lists = (type: number, values: readonly number[]): NonNullable<HelloOptions['extensions']> => [
  [type, vector16(Buffer.concat(values.map(u16)))],
];

/** Record format: the longest message in one record. SSLv2 format: the longest that is read. */
export const WORST_HELLOS: Readonly<Record<string, HelloOptions>> = {
  'cipher suites': { suites: count(8_150).map((id) => (id * 40_503) & 0xffff) },
  extensions: { extensions: count(4_050).map((type) => [type + 100, Buffer.alloc(0)]) },
  groups: { extensions: lists(10, count(8_000)) },
  'signature algorithms': { version: 0x0303, extensions: lists(13, count(8_000)) },
  'cipher specs of the SSLv2 format': { format: 'sslv2', suites: count(1_350).map((id) => id * 977) },
  'cipher kinds of SSL 2.0': { format: 'sslv2', suites: count(1_350).map((id) => 0x010000 + id * 12_007) },
};

/** A common one of today, to compare with. */
export const USUAL_HELLO: HelloOptions = {
  version: 0x0303,
  suites: count(60).map((id) => 0xc000 + id),
  extensions: [
    ...lists(10, [29, 23, 24]),
    ...lists(13, [0x0403, 0x0804, 0x0401]),
    [23, Buffer.alloc(0)],
    [0xff01, Buffer.of(0)],
  ],
};

/** As bytes, in one record where they are records. */
export function wireHello(options: HelloOptions): Buffer {
  const body = helloBody(options);
  if (options.format === 'sslv2') return Buffer.concat([u16(0x8000 | body.length), body]);
  return Buffer.concat([Buffer.of(22, 3, 1), vector16(Buffer.concat([Buffer.of(1, 0), vector16(body)]))]);
}

export const readWire = (options: HelloOptions): ClientHello => readHello(wireHello(options));
