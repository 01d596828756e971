/** Numbers of a capture, whose byte order is that of the machine that wrote it. */

export interface ByteOrder {
  uint16(bytes: Buffer, at: number): number;
  uint32(bytes: Buffer, at: number): number;
}

export const LITTLE_ENDIAN: ByteOrder = {
  uint16: (bytes, at) => bytes.readUInt16LE(at),
  uint32: (bytes, at) => bytes.readUInt32LE(at),
};

export const BIG_ENDIAN: ByteOrder = {
  uint16: (bytes, at) => bytes.readUInt16BE(at),
  uint32: (bytes, at) => bytes.readUInt32BE(at),
};
