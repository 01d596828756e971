/**
 * Delivers a mail of 10 KB over STARTTLS, over and over on a few connections at a time, with one command at a time as
 * an old sender has it. Prints one line of JSON.
 */
import { connect, type Socket } from 'node:net';
import { percentile } from '../statistics.js';
import type { SuiteName } from './old-client.js';
import { OldConnection } from './old-connection.js';
import type { LoadResult } from './handshakes.js';
import { job, report, timed } from './report.js';

export interface DeliveryLoad {
  readonly port: number;
  readonly concurrency: number;
  readonly milliseconds: number;
  readonly suite: SuiteName;
}

const load = job() as DeliveryLoad;
const latencies: number[] = [];
let failed = 0;
let failure = '';
let over = false;

/** What is sent after each reply, in clear and then over TLS. */
const CLEAR = ['EHLO old.example\r\n', 'STARTTLS\r\n'].map((text) => Buffer.from(text));
const LINE = `${'x'.repeat(78)}\r\n`;
const MESSAGE = `Subject: bench\r\n\r\n${LINE.repeat(128)}.\r\n`;
const SECURE = [
  'EHLO old.example\r\n',
  'MAIL FROM:<a@old.example>\r\n',
  'RCPT TO:<b@mx.example>\r\n',
  'DATA\r\n',
  MESSAGE,
  'QUIT\r\n',
].map((text) => Buffer.from(text));

/** Whether these bytes end with a reply's last line; its first digit is 2 or 3 where all is well. */
function isReply(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  if (!text.endsWith('\r\n')) return false;
  const last = text.slice(text.lastIndexOf('\n', text.length - 3) + 1);
  if (last[0] !== '2' && last[0] !== '3') throw new Error(`it said ${last.trim()}`);
  return last[3] === ' ';
}

function deliver(): Promise<void> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('it fell silent')));
    socket.once('error', reject);
    let step = 0;
    const take = (bytes: Buffer): void => {
      try {
        if (!isReply(bytes)) return;
      } catch (error) {
        socket.destroy(error as Error);
        return;
      }
      const line = CLEAR[step++];
      if (line !== undefined) {
        socket.write(line);
        return;
      }
      socket.off('data', take);
      socket.off('error', reject);
      secure(socket, (error) => {
        if (error !== undefined) reject(error);
        else {
          latencies.push(performance.now() - began);
          resolve();
        }
      });
    };
    socket.on('data', take);
  });
}

/** The encrypted half, from the hello on. */
function secure(socket: Socket, done: (error: Error | undefined) => void): void {
  let step = 0;
  const connection = new OldConnection(socket, load.suite, {
    established: () => connection.write(SECURE[step++]!),
    data(bytes) {
      try {
        if (!isReply(bytes)) return;
      } catch (error) {
        socket.destroy(error as Error);
        return;
      }
      const line = SECURE[step++];
      if (line === undefined) connection.end();
      else connection.write(line);
    },
    closed: (error) =>
      done(
        step > SECURE.length ? undefined : (error ?? new Error(`it closed before reply ${step} over TLS`)),
      ),
  });
  connection.begin();
}

function fail(error: Error): void {
  failed += 1;
  failure = error.message;
}

async function repeat(): Promise<void> {
  while (!over) await deliver().catch(fail);
}

async function main(): Promise<LoadResult> {
  await deliver();
  await deliver();
  latencies.length = 0;
  const { seconds, cpu } = await timed(() => {
    setTimeout(() => (over = true), load.milliseconds);
    return Promise.all(Array.from({ length: load.concurrency }, repeat));
  });
  latencies.sort((a, b) => a - b);
  const count = latencies.length;
  return {
    count,
    failed,
    failure,
    seconds,
    cpu,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
}

/** A connection that waits so long is a fault and not a delay. */
const TIMEOUT_MS = 5000;

report(main());
