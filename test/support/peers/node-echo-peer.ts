/** Node's own TLS as a peer of an echo. */
import { once } from 'node:events';
import { constants } from 'node:crypto';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Exchange } from '../engine-echo-server.js';
import type { EchoPeer, Order } from './echo-peer.js';

export const node: EchoPeer = {
  title: `Node.js with OpenSSL ${/^\d+\.\d+/.exec(process.versions.openssl)![0]}`,
  lack: undefined,
  formats: ['record'],
  switches: ['serverName'],
  usual: 50_000,
  bulk: 16 * 2 ** 20,
  start: () => ({
    async run(server, order) {
      server.expect(order.exchanges);
      let session: Buffer | undefined;
      for (const exchange of order.exchanges) {
        try {
          session = await echo({ ...optionsFor(order), port: server.port, session }, exchange);
        } catch (error) {
          return String(error);
        }
      }
      return undefined;
    },
    close: () => undefined,
  }),
};

function optionsFor({ handshake, tickets, serverName }: Order): ConnectionOptions {
  // OpenSSL's names of versions, except that Node has none for SSLv3.
  const version = handshake.version as 'TLSv1';
  return {
    host: '127.0.0.1',
    minVersion: version,
    maxVersion: version,
    ciphers: `${handshake.suite.opensslName}:@SECLEVEL=0`,
    secureOptions: tickets ? 0 : constants.SSL_OP_NO_TICKET,
    rejectUnauthorized: false,
    ...(serverName !== undefined && { servername: serverName }),
  };
}

/** @returns the session to offer next time */
async function echo(options: ConnectionOptions, { size, closer }: Exchange): Promise<Buffer | undefined> {
  const socket: TLSSocket = connect(options);
  let session: Buffer | undefined;
  let received = 0;
  socket.on('session', (given) => (session = given));
  await once(socket, 'secureConnect');
  const sent = Buffer.alloc(size, PATTERN);
  socket.on('data', (bytes: Buffer) => {
    if (!bytes.equals(sent.subarray(received, received + bytes.length)))
      socket.destroy(new Error('the echo differs'));
    received += bytes.length;
    if (received === size && closer === 'client') socket.end();
  });
  socket.write(sent);
  await once(socket, 'close');
  if (received !== size) throw new Error(`closed after ${received} bytes`);
  return session;
}

/** Its length is prime, so that nothing is aligned with it. */
const PATTERN = Buffer.from(Array.from({ length: 251 }, (_, at) => at));
