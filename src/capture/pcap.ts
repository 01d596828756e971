/** The pcap format: draft-ietf-opsawg-pcap. */
import { BIG_ENDIAN, LITTLE_ENDIAN, type ByteOrder } from './byte-order.js';
import { CaptureError, type CaptureFormat, type TakePacket } from './capture-format.js';

export class PcapFormat implements CaptureFormat {
  readonly #order: ByteOrder;
  readonly #fractionsPerMs: number;
  readonly #packetHeaderLength: number;
  /** Undefined before the file's header has been read. */
  #linkType: number | undefined;

  private constructor(order: ByteOrder, { fractionsPerMs, packetHeaderLength }: Variant) {
    this.#order = order;
    this.#fractionsPerMs = fractionsPerMs;
    this.#packetHeaderLength = packetHeaderLength;
  }

  /** @param bytes at least 4 @returns undefined for another format */
  static of(bytes: Buffer): PcapFormat | undefined {
    for (const order of [LITTLE_ENDIAN, BIG_ENDIAN]) {
      const variant = VARIANTS.get(order.uint32(bytes, 0));
      if (variant !== undefined) return new PcapFormat(order, variant);
    }
    return undefined;
  }

  read(bytes: Buffer, take: TakePacket): number {
    if (this.#linkType === undefined) return this.#readFileHeader(bytes);
    const headerLength = this.#packetHeaderLength;
    if (bytes.length < headerLength) return -headerLength;
    const captured = this.#order.uint32(bytes, 8);
    if (captured > MAX_PACKET_BYTES) throw new CaptureError(`a packet of ${captured} bytes cannot be`);
    const end = headerLength + captured;
    if (bytes.length < end) return -end;
    const timeMs =
      this.#order.uint32(bytes, 0) * 1000 + Math.floor(this.#order.uint32(bytes, 4) / this.#fractionsPerMs);
    take(this.#linkType, timeMs, bytes.subarray(headerLength, end));
    return end;
  }

  #readFileHeader(bytes: Buffer): number {
    if (bytes.length < FILE_HEADER_LENGTH) return -FILE_HEADER_LENGTH;
    // The upper bits say how long a frame check sequence is.
    this.#linkType = this.#order.uint32(bytes, 20) & 0xffff;
    return FILE_HEADER_LENGTH;
  }
}

interface Variant {
  readonly fractionsPerMs: number;
  readonly packetHeaderLength: number;
}

/** By magic number: microseconds, nanoseconds, and the longer packet headers of old Linux kernels' patched libpcap. */
const VARIANTS: ReadonlyMap<number, Variant> = new Map([
  [0xa1b2c3d4, { fractionsPerMs: 1000, packetHeaderLength: 16 }],
  [0xa1b23c4d, { fractionsPerMs: 1_000_000, packetHeaderLength: 16 }],
  [0xa1b2cd34, { fractionsPerMs: 1000, packetHeaderLength: 24 }],
]);

const FILE_HEADER_LENGTH = 24;
/** Libpcap's own limit of a snapshot, and what offloading makes of a packet. */
export const MAX_PACKET_BYTES = 262_144;
