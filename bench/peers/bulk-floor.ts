/**
 * What Node's sockets and node:crypto cost alone for a transfer under AES-128-CBC and HMAC-SHA1: read, one HMAC and one
 * pass of the cipher for every 16 KiB, write. No TLS: no records, no padding, no checks. Whatever is short passes as it
 * is, so that client and backend can talk.
 */
import { createCipheriv, createDecipheriv, createHmac, type Cipher, type Decipher } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';

const [port, backend] = process.argv.slice(2) as [string, string];
const [key, iv, macKey] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2), Buffer.alloc(20, 3)];
const PIECE_BYTES = 16_384;

function pass(from: Socket, to: Socket, work: (piece: Buffer) => Buffer): void {
  from.on('data', (bytes) => {
    to.cork();
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      to.write(piece.length === PIECE_BYTES ? work(piece) : piece);
    }
    to.uncork();
    if (to.writableLength > 0) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
}

const mac = (piece: Buffer): Buffer => createHmac('sha1', macKey).update(piece).digest();

function opening(decipher: Decipher): (piece: Buffer) => Buffer {
  return (piece) => {
    const plaintext = decipher.update(piece);
    mac(plaintext);
    return plaintext;
  };
}

function sealing(cipher: Cipher): (piece: Buffer) => Buffer {
  return (piece) => {
    mac(piece);
    return cipher.update(piece);
  };
}

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ port: Number(backend), host: '127.0.0.1', noDelay: true });
  pass(client, upstream, opening(createDecipheriv('aes-128-cbc', key, iv).setAutoPadding(false)));
  pass(upstream, client, sealing(createCipheriv('aes-128-cbc', key, iv)));
});
server.listen({ port: Number(port), host: '127.0.0.1' });
