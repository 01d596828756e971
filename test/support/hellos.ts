/** Hellos for tests about hellos: captured ones, and ones built as a test wants them, read as the program reads them. */
import { readFileSync } from 'node:fs';
import type { ClientHello } from '../../src/tls/index.js';
import { Acceptor } from '../../src/tls/index.js';
import { TestClient, type HelloOptions } from './test-client.js';

export interface CapturedHello {
  readonly client: string;
  readonly version: string;
  readonly options: string;
  readonly afterStarttls: boolean;
  readonly format: 'sslv2' | 'record';
  readonly hex: string;
}

/** First flights captured from the programs themselves. */
export function capturedHellos(): CapturedHello[] {
  return JSON.parse(
    readFileSync(new URL('../vectors/hellos.json', import.meta.url), 'utf8'),
  ) as CapturedHello[];
}

export function readHello(hello: HelloOptions | Buffer): ClientHello {
  const bytes = Buffer.isBuffer(hello) ? hello : new TestClient(hello).hello();
  const accepted = new Acceptor().push(bytes);
  if (accepted?.kind !== 'client_hello') throw new Error(`not a hello but ${accepted?.kind}`);
  return accepted.hello;
}
