/** Builds ClientHellos of both formats, byte for byte as old clients sent them. */
import { randomBytes } from 'node:crypto';
import { ProtocolVersion, type HelloFormat } from '../tls/index.js';
import { ContentType, HandshakeType, RANDOM_LENGTH, Writer } from '../tls/wire-format.js';

export interface HelloRecipe {
  readonly format: HelloFormat;
  /** The newest version, for client_version. */
  readonly version: number;
  /** In order; in the SSLv2 format, kinds of SSL 2.0 (above 0xffff) may be among them. */
  readonly suites: readonly number[];
  /** Undefined for a hello without an extension block. */
  readonly extensions?: readonly (readonly [type: number, body: Buffer])[];
}

export function buildHello(recipe: HelloRecipe): Buffer {
  return recipe.format === 'sslv2' ? sslv2Hello(recipe) : recordHello(recipe);
}

/** RFC 5246, E.2. */
function sslv2Hello({ version, suites }: HelloRecipe): Buffer {
  const message = new Writer().u8(HandshakeType.client_hello).u16(version);
  message
    .u16(suites.length * CIPHER_SPEC_LENGTH)
    .u16(0)
    .u16(RANDOM_LENGTH);
  for (const suite of suites) message.u24(suite);
  const bytes = message.bytes(randomBytes(RANDOM_LENGTH)).done();
  return new Writer(bytes.length + 2)
    .u16(0x8000 | bytes.length)
    .bytes(bytes)
    .done();
}

/** RFC 5246, 7.4.1.2. The record has at most the version TLS 1.0 (E.1), because old servers fail with newer ones. */
function recordHello({ version, suites, extensions }: HelloRecipe): Buffer {
  const writer = new Writer().u8(ContentType.handshake).u16(Math.min(version, ProtocolVersion.TLSv1));
  writer.vector16((record) => {
    record.u8(HandshakeType.client_hello).vector24((hello) => {
      hello.u16(version).bytes(randomBytes(RANDOM_LENGTH)).u8(0);
      hello.vector16((list) => suites.forEach((suite) => list.u16(suite)));
      hello.u8(1).u8(0);
      if (extensions === undefined) return;
      hello.vector16((block) => {
        for (const [type, body] of extensions) block.u16(type).vector16((content) => content.bytes(body));
      });
    });
  });
  return writer.done();
}

/** Bytes. */
const CIPHER_SPEC_LENGTH = 3;
