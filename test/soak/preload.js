/**
 * Loaded into the oldhello under soak before all else. It does what nothing outside of a process can: collects garbage,
 * tells what is left, and moves the clock. Each connection to the socket named by OLDHELLO_SOAK_SOCKET asks for one
 * thing.
 */
import { createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const RealDate = Date;
/** Milliseconds that the clock is ahead. */
let ahead = 0;

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + ahead);
    else super(...args);
  }
  static now() {
    return RealDate.now() + ahead;
  }
};

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const ASKED = {
  memory: () => {
    collect();
    collect();
    return process.memoryUsage();
  },
  clock: (milliseconds) => {
    ahead = milliseconds;
    return new Date().toISOString();
  },
};

if (isMainThread) {
  const server = createServer((socket) => {
    socket.once('data', (question) => {
      const [what, argument] = JSON.parse(question);
      socket.end(JSON.stringify(ASKED[what](argument)));
    });
  });
  server.listen(process.env.OLDHELLO_SOAK_SOCKET).unref();
}
