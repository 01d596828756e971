/**
 * What Node's sockets and the private key cost alone: accept, connect to the backend, one RSA decryption, two writes to
 * the client, close. No TLS. A proxy in Node cannot be faster than this without doing one of these things less.
 */
import { constants, createPrivateKey, privateDecrypt, publicEncrypt, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const [port, backend, keyFile] = process.argv.slice(2) as [string, string, string];
const key = createPrivateKey(readFileSync(keyFile));
const ciphertext = publicEncrypt(
  { key: createPublicKey(key), padding: constants.RSA_PKCS1_PADDING },
  Buffer.alloc(48),
);
const FIRST_FLIGHT = Buffer.alloc(900);
const SECOND_FLIGHT = Buffer.alloc(59 + 53);

const server = createServer({ noDelay: true }, (client) => {
  let turn = 0;
  client.on('error', () => client.destroy());
  client.on('data', () => {
    turn += 1;
    if (turn === 1) client.write(FIRST_FLIGHT);
    if (turn !== 2) return;
    privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, ciphertext);
    const upstream = connect({ port: Number(backend), host: '127.0.0.1', noDelay: true });
    upstream.once('data', () => client.write(SECOND_FLIGHT));
    upstream.on('error', () => upstream.destroy());
    client.once('close', () => upstream.destroy());
  });
});
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
