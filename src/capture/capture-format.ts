/** What the formats of captures have in common. */

/** Called for each packet; `bytes` are valid until it returns. */
export type TakePacket = (linkType: number, timeMs: number, bytes: Buffer) => void;

/** Reads one unit, a header, packet or block, from the beginning of `bytes`. */
export interface CaptureFormat {
  /**
   * @returns the length of the unit, or how many bytes are needed to read it as a negative number
   * @throws CaptureError
   */
  read(bytes: Buffer, take: TakePacket): number;
}

/** The input is no capture, or is damaged. */
export class CaptureError extends Error {}
