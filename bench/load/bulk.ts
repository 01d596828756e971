/**
 * Moves a great deal of plaintext through one connection, one way, and is the backend behind it too. What there is to
 * encrypt is encrypted before the clock runs. Prints one line of JSON.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { SuiteName } from './old-client.js';
import { withoutProxyHeader } from './proxy-header.js';
import { job, report, timed } from './report.js';
import { openSealer, type ModernSuite } from './sealer.js';

export interface BulkLoad {
  readonly port: number;
  /** Where the proxy expects its backend. */
  readonly backend: number;
  readonly way: 'to the backend' | 'to the client';
  readonly suite: SuiteName | ModernSuite | 'none';
  readonly bytes: number;
}

export interface BulkResult {
  readonly seconds: number;
  /** CPU seconds of the load generator. */
  readonly cpu: number;
}

const load = job() as BulkLoad;

/** As mail looks, in pieces as large as a record may be. */
const PIECE = Buffer.alloc(16_384, `${'x'.repeat(78)}\r\n`);
const PIECES = Array.from({ length: Math.ceil(load.bytes / PIECE.length) }, () => PIECE);
const TOTAL = PIECES.length * PIECE.length;

/** Greets, says 354 to DATA, and hands over the connection. */
function startBackend(): { ready: Promise<Socket> } {
  const ready = new Promise<Socket>((resolve) => {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      const talk = (bytes: Buffer): void => {
        const verb = withoutProxyHeader(bytes).toString('latin1', 0, 4);
        if (verb === 'EHLO') socket.write('250 mx.example\r\n');
        if (verb !== 'DATA') return;
        socket.off('data', talk);
        socket.write('354 go ahead\r\n');
        resolve(socket);
      };
      socket.on('data', talk);
      socket.write('220 mx.example ESMTP\r\n');
    });
    server.listen({ port: load.backend, host: '127.0.0.1' });
  });
  return { ready };
}

async function sendAll(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (let at = 0; at < pieces.length; at += BATCH) {
    socket.cork();
    for (const piece of pieces.slice(at, at + BATCH)) socket.write(piece);
    socket.uncork();
    if (socket.writableNeedDrain) await once(socket, 'drain');
  }
}

/** Resolves when `total` bytes have come, of which nothing is kept. */
function receiveAll(socket: Socket, total: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = total;
    socket.on('data', (bytes) => {
      left -= bytes.length;
      if (left <= 0) resolve();
    });
    socket.once('close', () => reject(new Error(`it closed with ${left} bytes to come`)));
  });
}

async function main(): Promise<BulkResult> {
  const { ready } = startBackend();
  const sealer = await openSealer(load.port, load.suite);
  await sealer.ask(Buffer.from('EHLO old.example\r\n'));
  await sealer.ask(Buffer.from('DATA\r\n'));
  const [client, backend] = [sealer.socket, await ready];
  client.removeAllListeners('data');
  if (load.way === 'to the backend') {
    client.resume();
    const sealed = await sealer.seal(PIECES);
    return timed(() => Promise.all([receiveAll(backend, TOTAL), sendAll(client, sealed)]));
  }
  backend.resume();
  return timed(() => Promise.all([receiveAll(client, TOTAL), sendAll(backend, PIECES)]));
}

/** Pieces to a system call. */
const BATCH = 16;

report(
  main().finally(() => {
    setImmediate(() => process.exit());
  }),
);
