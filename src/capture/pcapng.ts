/** The pcapng format: draft-ietf-opsawg-pcapng. */
import { BIG_ENDIAN, LITTLE_ENDIAN, type ByteOrder } from './byte-order.js';
import { CaptureError, type CaptureFormat, type TakePacket } from './capture-format.js';

interface Interface {
  readonly linkType: number;
  readonly unitsPerSecond: number;
  readonly offsetSeconds: number;
}

export class PcapngFormat implements CaptureFormat {
  #order: ByteOrder = LITTLE_ENDIAN;
  /** Of the present section. */
  #interfaces: Interface[] = [];

  private constructor() {
    // Made by `of` only.
  }

  /** @param bytes at least 4 @returns undefined for another format */
  static of(bytes: Buffer): PcapngFormat | undefined {
    return bytes.readUInt32BE(0) === SECTION_HEADER ? new PcapngFormat() : undefined;
  }

  read(bytes: Buffer, take: TakePacket): number {
    if (bytes.length < MIN_BLOCK_LENGTH) return -MIN_BLOCK_LENGTH;
    if (bytes.readUInt32BE(0) === SECTION_HEADER) this.#beginSection(bytes);
    const type = this.#order.uint32(bytes, 0);
    const length = this.#order.uint32(bytes, 4);
    if (length < MIN_BLOCK_LENGTH || length > MAX_BLOCK_BYTES || length % 4 !== 0) {
      throw new CaptureError(`a block of ${length} bytes cannot be`);
    }
    if (bytes.length < length) return -length;
    // Without the total length that follows once more at the end.
    const body = bytes.subarray(8, length - 4);
    if (type === INTERFACE_DESCRIPTION) this.#describeInterface(body);
    else if (type === ENHANCED_PACKET) this.#packet(body, this.#number(body, 0, 4), take);
    else if (type === OBSOLETE_PACKET) this.#packet(body, this.#number(body, 0, 2), take);
    else if (type === SIMPLE_PACKET) this.#simplePacket(body, take);
    return length;
  }

  #beginSection(bytes: Buffer): void {
    const isLittle = bytes.readUInt32LE(8) === BYTE_ORDER_MAGIC;
    if (!isLittle && bytes.readUInt32BE(8) !== BYTE_ORDER_MAGIC) {
      throw new CaptureError('a section has no byte-order magic');
    }
    this.#order = isLittle ? LITTLE_ENDIAN : BIG_ENDIAN;
    this.#interfaces = [];
  }

  #describeInterface(body: Buffer): void {
    if (this.#interfaces.length >= MAX_INTERFACES) throw new CaptureError('too many interfaces');
    const options = this.#options(body, 8);
    const resolution = options.get(IF_TSRESOL)?.[0] ?? 6;
    const offset = options.get(IF_TSOFFSET);
    this.#interfaces.push({
      linkType: this.#number(body, 0, 2),
      unitsPerSecond: resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution,
      offsetSeconds: offset?.length === 8 ? this.#uint64(offset) : 0,
    });
  }

  #options(body: Buffer, from: number): Map<number, Buffer> {
    const options = new Map<number, Buffer>();
    for (let at = from; at + 4 <= body.length;) {
      const code = this.#order.uint16(body, at);
      const length = this.#order.uint16(body, at + 2);
      if (code === 0) break;
      options.set(code, body.subarray(at + 4, at + 4 + length));
      at += 4 + Math.ceil(length / 4) * 4;
    }
    return options;
  }

  /** An enhanced packet and the obsolete one differ only in how wide the interface's number is. */
  #packet(body: Buffer, interfaceNumber: number, take: TakePacket): void {
    const known = this.#interfaces[interfaceNumber];
    if (known === undefined) throw new CaptureError(`a packet of an undeclared interface ${interfaceNumber}`);
    const units = this.#number(body, 4, 4) * 2 ** 32 + this.#number(body, 8, 4);
    const captured = this.#number(body, 12, 4);
    if (PACKET_FIELDS_LENGTH + captured > body.length)
      throw new CaptureError('a packet is longer than its block');
    const timeMs = Math.floor((units / known.unitsPerSecond + known.offsetSeconds) * 1000);
    if (timeMs > MAX_TIME_MS) throw new CaptureError('a packet has no possible time');
    take(known.linkType, timeMs, body.subarray(PACKET_FIELDS_LENGTH, PACKET_FIELDS_LENGTH + captured));
  }

  /** It has no time, and its captured length is what the block holds of the packet. */
  #simplePacket(body: Buffer, take: TakePacket): void {
    const [known] = this.#interfaces;
    if (known === undefined) throw new CaptureError('a packet without a declared interface');
    take(known.linkType, 0, body.subarray(4, 4 + this.#number(body, 0, 4)));
  }

  #number(body: Buffer, at: number, length: 2 | 4): number {
    if (at + length > body.length) throw new CaptureError('a block is too short');
    return length === 2 ? this.#order.uint16(body, at) : this.#order.uint32(body, at);
  }

  #uint64(bytes: Buffer): number {
    const [high, low] = this.#order === LITTLE_ENDIAN ? [4, 0] : [0, 4];
    return this.#order.uint32(bytes, high) * 2 ** 32 + this.#order.uint32(bytes, low);
  }
}

/** Block types; that of a section header reads the same in both byte orders. */
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Option codes of an interface. */
const IF_TSRESOL = 9;
const IF_TSOFFSET = 14;
/** Of a packet block, before the packet. */
const PACKET_FIELDS_LENGTH = 20;
const MIN_BLOCK_LENGTH = 12;
/** The end of the year 9999. Later dates have no usual form, and Date does not have the latest. */
const MAX_TIME_MS = 253_402_300_799_999;
/** A packet with long comments, and the name resolution block of a long capture. */
const MAX_BLOCK_BYTES = 1 << 24;
/** More than any machine captures on at once. */
const MAX_INTERFACES = 4096;
