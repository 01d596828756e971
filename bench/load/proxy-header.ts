/** The PROXY header, version 2, that oldhello puts in front of a backend session. */

/** @returns what is left of a connection's first bytes, and other bytes as they are */
export function withoutProxyHeader(bytes: Buffer): Buffer {
  const header = bytes.length >= HEADER_LENGTH && bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE);
  return header ? bytes.subarray(HEADER_LENGTH + bytes.readUInt16BE(HEADER_LENGTH - 2)) : bytes;
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
const HEADER_LENGTH = 16;
