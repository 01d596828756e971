/** Finds the ClientHellos in pasted or saved text, and remarks on what was wrong or guessed. */
import { Acceptor, type Accepted } from '../tls/index.js';
import { capturedHellos } from './captured-hellos.js';
import { readDump } from './dump.js';
import { tcpPayload } from './packet.js';

export interface FoundHellos {
  /** What the engine reads at each place where a hello begins; the last of them may be malformed. */
  readonly accepted: readonly Accepted[];
  /** Of each of them, where the input is a capture: when, from where and to where. */
  readonly origins: readonly string[];
  readonly notes: readonly string[];
}

/** @param input text or bytes, of a file or of the command line */
export function findHellos(input: Buffer): FoundHellos {
  if (isCapture(input)) return capturedHellos(input, MAX_HELLOS);
  const { blocks, notes } = isText(input)
    ? readDump(input.toString('latin1'))
    : { blocks: [input], notes: [] };
  const finder = new HelloFinder([...notes]);
  for (const stream of streamsOf(blocks, finder.notes)) finder.search(stream);
  if (finder.accepted.length === 0 && finder.notes.length === 0) {
    finder.notes.push(
      blocks.length === 0
        ? 'there are no bytes in this: neither hex of any kind nor a binary hello'
        : 'there is no ClientHello in this',
    );
  }
  return finder;
}

/** Joins what belongs together: the packets of one direction, and other blocks with their continuations. */
function streamsOf(blocks: readonly Buffer[], notes: string[]): Buffer[] {
  const flows = new Map<string, Buffer[]>();
  const others: Buffer[][] = [];
  // The next one last: to take the first of a long array moves all others.
  const pending = blocks.toReversed();
  for (let block = pending.pop(); block !== undefined; block = pending.pop()) {
    const payload = startsHello(block) ? undefined : tcpPayload(block);
    if (payload === undefined) {
      const headerAlone = startsRecordHeader(others.at(-1)?.at(-1) ?? EMPTY);
      if (others.length === 0 || (startsHello(block) && !headerAlone)) others.push([block]);
      else others.at(-1)!.push(block);
      continue;
    }
    if (payload.missing > 0) {
      notes.push(
        `a packet was cut when it was captured: ${payload.missing} bytes are missing (tcpdump -s 0)`,
      );
    }
    const flow = flows.get(payload.flow) ?? [];
    flow.push(payload.bytes);
    flows.set(payload.flow, flow);
    // Hex streams of several packets, one a line.
    if (startsHello(payload.rest) || tcpPayload(payload.rest) !== undefined) pending.push(payload.rest);
  }
  if (flows.size > 0) notes.push('taken from TCP packets in the order in which they stand here');
  return [...flows.values(), ...others]
    .map((pieces) => Buffer.concat(pieces))
    .filter(({ length }) => length > 0);
}

class HelloFinder implements FoundHellos {
  readonly accepted: Accepted[] = [];
  readonly origins: string[] = [];
  readonly notes: string[];

  constructor(notes: string[]) {
    this.notes = notes;
  }

  search(stream: Buffer): void {
    const start = this.#start(stream) ?? this.#swappedStart(stream);
    if (start === undefined) return;
    for (let rest = start; rest.length > 0 && this.accepted.length < MAX_HELLOS;) {
      const whole = wrapped(rest);
      if (whole !== rest)
        this.notes.push('a handshake message without its record header; the header was added');
      const accepted = new Acceptor().push(Buffer.from(whole));
      if (accepted === undefined) {
        this.notes.push(`the hello is cut: ${missingBytes(whole)}`);
        return;
      }
      this.accepted.push(accepted);
      if (accepted.kind !== 'client_hello') return;
      const next = wrapped(accepted.rest);
      if (!startsHello(next)) return;
      rest = accepted.rest;
    }
  }

  /** Dumps of 16-bit words on a little-endian machine, such as those of od -x. */
  #swappedStart(stream: Buffer): Buffer | undefined {
    const swapped = Buffer.from(stream.subarray(0, stream.length & ~1)).swap16();
    if (!startsRecordHello(swapped) && !startsSslv2Hello(swapped)) return undefined;
    this.notes.push('the bytes were in the wrong order in pairs; they were swapped');
    return swapped;
  }

  /** The stream from its first hello on. */
  #start(stream: Buffer): Buffer | undefined {
    if (startsHello(stream)) return stream;
    for (let at = 1; at + MIN_START_BYTES <= stream.length; at++) {
      if (!startsRecordHello(stream.subarray(at))) continue;
      this.notes.push(`${at} bytes before the hello were skipped`);
      return stream.subarray(at);
    }
    return undefined;
  }
}

function startsHello(bytes: Buffer): boolean {
  return (
    startsRecordHello(bytes) ||
    startsSslv2Hello(bytes) ||
    wrapped(bytes) !== bytes ||
    startsRecordHeader(bytes)
  );
}

/** A record header alone: openssl -msg has the message in a block of its own. */
function startsRecordHeader(bytes: Buffer): boolean {
  return bytes.length === 5 && bytes[0] === 22 && bytes[1] === 3;
}

function startsRecordHello(bytes: Buffer): boolean {
  return (
    bytes.length >= MIN_START_BYTES && bytes[0] === 22 && bytes[1] === 3 && bytes[5] === 1 && bytes[6] === 0
  );
}

function startsSslv2Hello(bytes: Buffer): boolean {
  return (
    bytes.length >= MIN_START_BYTES &&
    bytes[0]! >= 0x80 &&
    bytes[2] === 1 &&
    (bytes[3] === 3 || bytes[3] === 0)
  );
}

/** Adds the missing header to a bare handshake or SSLv2 message; returns all else unchanged. */
function wrapped(bytes: Buffer): Buffer {
  if (bytes.length < MIN_START_BYTES || bytes[0] !== 1) return bytes;
  if (bytes[1] === 0 && bytes[4] === 3) {
    const message = bytes.subarray(0, 4 + bytes.readUIntBE(1, 3));
    const records: Buffer[] = [];
    for (let at = 0; at < message.length; at += MAX_RECORD_BYTES) {
      const fragment = message.subarray(at, at + MAX_RECORD_BYTES);
      records.push(Buffer.of(22, 3, 1, fragment.length >> 8, fragment.length & 0xff), fragment);
    }
    return Buffer.concat(records);
  }
  if (bytes[1] !== 3) return bytes;
  const length = 9 + bytes.readUInt16BE(3) + bytes.readUInt16BE(5) + bytes.readUInt16BE(7);
  if (length > 0x7fff) return bytes;
  return Buffer.concat([Buffer.of(0x80 | (length >> 8), length & 0xff), bytes.subarray(0, length)]);
}

function missingBytes(bytes: Buffer): string {
  const sslv2 = bytes[0]! >= 0x80;
  const said = sslv2
    ? 2 + (bytes.readUInt16BE(0) & 0x7fff)
    : 5 + (bytes.length < 5 ? 0 : bytes.readUInt16BE(3));
  const format = sslv2 ? 'SSLv2-format message' : 'record';
  return said > bytes.length
    ? `its ${format} has ${said} bytes, and only ${bytes.length} are here`
    : 'its message goes on in a record that is not here';
}

/** A binary hello has zeros; text has no control characters but white space. */
function isText(input: Buffer): boolean {
  return input.every((byte) => byte >= 0x20 || (byte >= 9 && byte <= 13));
}

function isCapture(input: Buffer): boolean {
  return input.length >= 4 && CAPTURE_MAGICS.has(input.readUInt32BE(0));
}

/** pcap in both byte orders, its two variants, and pcapng. */
const CAPTURE_MAGICS = new Set([
  0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0xa1b2cd34, 0x34cdb2a1, 0x0a0d0d0a,
]);
const EMPTY = Buffer.alloc(0);
/** Bytes that are necessary to recognize a hello. */
const MIN_START_BYTES = 9;
const MAX_RECORD_BYTES = 16_384;
const MAX_HELLOS = 10;
