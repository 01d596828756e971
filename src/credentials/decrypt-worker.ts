/** A thread for raw RSA decryption, started by keys.ts. */
import type { KeyObject } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { decryptWithoutPadding } from '../tls/index.js';

interface Task {
  readonly id: number;
  readonly ciphertext: Uint8Array;
  readonly modulusLength: number;
  readonly key: KeyObject;
}

parentPort?.on('message', ({ id, ciphertext, modulusLength, key }: Task) => {
  parentPort?.postMessage({ id, block: decryptWithoutPadding(key, ciphertext, modulusLength) });
});
