/**
 * Opens connections through a proxy and holds them. Prints one line of JSON when it has them, and one for each line on
 * its standard input, with how many are open then.
 */
import { createInterface } from 'node:readline';
import { OldConnection } from './old-connection.js';
import { job, report } from './report.js';

export interface IdleLoad {
  readonly port: number;
  readonly count: number;
}

export interface IdleResult {
  readonly open: number;
}

const { port, count } = job() as IdleLoad;
let open = 0;
let left = count;

/** Resolves when the greeting of the backend has come. */
function hold(): Promise<void> {
  return new Promise((resolve, reject) => {
    OldConnection.to(port, 'AES128-SHA', {
      data() {
        open += 1;
        resolve();
      },
      closed(error) {
        open -= 1;
        reject(error ?? new Error(`it closed the connection when there were ${open}`));
      },
    });
  });
}

async function opener(): Promise<void> {
  while (left > 0) {
    left -= 1;
    await hold();
  }
}

async function main(): Promise<IdleResult> {
  await Promise.all(Array.from({ length: AT_A_TIME }, opener));
  return { open };
}

createInterface({ input: process.stdin }).on('line', () => report(Promise.resolve({ open })));

/** Few enough for any backlog. */
const AT_A_TIME = 16;

report(main());
