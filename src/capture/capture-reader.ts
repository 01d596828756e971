/** Reads packets from a capture as it comes in: pcap or pcapng, told apart by their first bytes. */
import { CaptureError, type CaptureFormat, type TakePacket } from './capture-format.js';
import { PcapFormat } from './pcap.js';
import { PcapngFormat } from './pcapng.js';

export class CaptureReader {
  readonly #take: TakePacket;
  #format: CaptureFormat | undefined;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes that the next unit needs before it can be read. */
  #needed = MAGIC_LENGTH;
  /** Bytes of the capture before `#rest`. */
  #offset = 0;

  constructor(take: TakePacket) {
    this.#take = take;
  }

  /** @throws CaptureError with the position in the capture; nothing can be read afterwards */
  push(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= this.#needed) {
      const length = this.#readUnit(bytes);
      if (length < 0) {
        this.#needed = -length;
        continue;
      }
      bytes = bytes.subarray(length);
      this.#offset += length;
      this.#needed = 1;
    }
    // The chunk is the caller's; what is kept needs a copy.
    this.#rest = Buffer.from(bytes);
  }

  /** @throws CaptureError where the capture ends in the middle of a packet, or before its first one */
  end(): void {
    if (this.#format === undefined) throw new CaptureError('it is empty or too short for a capture');
    if (this.#rest.length > 0)
      throw new CaptureError(`it ends in the middle of a packet, at byte ${this.#offset}`);
  }

  #readUnit(bytes: Buffer): number {
    try {
      this.#format ??= PcapFormat.of(bytes) ?? PcapngFormat.of(bytes);
      if (this.#format === undefined) throw new CaptureError('it is not a capture in pcap or pcapng format');
      return this.#format.read(bytes, this.#take);
    } catch (error) {
      if (!(error instanceof CaptureError) || this.#offset === 0) throw error;
      throw new CaptureError(`${error.message}, at byte ${this.#offset}`);
    }
  }
}

const MAGIC_LENGTH = 4;
