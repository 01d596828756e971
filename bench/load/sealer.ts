/**
 * A client that encrypts what it will send before the clock runs and never decrypts what it gets, so that in a transfer
 * only the server computes. TLS 1.0 is OldClient's; TLS 1.2 is Node's own, over a stream that can be held up.
 */
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { SuiteName } from './old-client.js';
import { OldConnection } from './old-connection.js';

export type ModernSuite = 'ECDHE-RSA-AES128-GCM-SHA256' | 'ECDHE-RSA-CHACHA20-POLY1305';

export interface Sealer {
  readonly socket: Socket;
  /** Sends in the ordinary way, and resolves with the next plaintext that comes. */
  ask(plaintext: Buffer): Promise<Buffer>;
  /** @returns records, in the order in which they must be sent */
  seal(pieces: readonly Buffer[]): Promise<Buffer[]>;
}

/** @returns once the backend has greeted */
export function openSealer(port: number, suite: SuiteName | ModernSuite | 'none'): Promise<Sealer> {
  if (suite === 'none') return openPlain(port);
  return isModern(suite) ? openModern(port, suite) : openOld(port, suite);
}

function isModern(suite: SuiteName | ModernSuite): suite is ModernSuite {
  return suite.endsWith('GCM-SHA256') || suite.endsWith('POLY1305');
}

async function openPlain(port: number): Promise<Sealer> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const next = (): Promise<Buffer> => nextPlaintext(socket, socket);
  await next();
  return {
    socket,
    ask(plaintext) {
      socket.write(plaintext);
      return next();
    },
    seal: (pieces) => Promise.resolve([...pieces]),
  };
}

function openOld(port: number, suite: SuiteName): Promise<Sealer> {
  return new Promise((resolve, reject) => {
    let heard: (plaintext: Buffer) => void = () => resolve(sealer);
    const connection = OldConnection.to(port, suite, {
      data: (plaintext) => heard(plaintext),
      closed: (error) => reject(error ?? new Error('it closed the connection')),
    });
    const sealer: Sealer = {
      socket: connection.socket,
      ask(plaintext) {
        connection.write(plaintext);
        return new Promise((answered) => (heard = answered));
      },
      seal: (pieces) => Promise.resolve(pieces.map((piece) => connection.client.send(piece))),
    };
  });
}

async function openModern(port: number, suite: ModernSuite): Promise<Sealer> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let held: Buffer[] | undefined;
  const wire = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _, done) {
      if (held === undefined) socket.write(chunk);
      else held.push(chunk);
      done();
    },
  });
  socket.on('data', (bytes) => wire.push(bytes));
  const tls = connectTls({
    socket: wire,
    ciphers: `${suite}:@SECLEVEL=0`,
    maxVersion: 'TLSv1.2',
    rejectUnauthorized: false,
  });
  const next = (): Promise<Buffer> => nextPlaintext(tls, socket);
  await next();
  return {
    socket,
    ask(plaintext) {
      tls.write(plaintext);
      return next();
    },
    async seal(pieces) {
      const records: Buffer[] = [];
      held = records;
      for (const piece of pieces) await new Promise((written) => tls.write(piece, written));
      held = undefined;
      return records;
    },
  };
}

function nextPlaintext(tls: Socket, socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    tls.once('data', resolve);
    tls.once('error', reject);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('it closed the connection')));
  });
}
