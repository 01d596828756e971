/** An MTA for tests that remembers what it took: the demo's, with its log kept instead of printed. */
import { EventEmitter, once } from 'node:events';
import { startSink } from '../../src/demo/sink.js';
import { createLogChannel } from '../../src/observe/log.js';

export interface Delivered {
  readonly from: string;
  readonly to: readonly string[];
  readonly size: number;
  readonly sha256: string;
  readonly helo: string;
  readonly client: string;
  readonly connection: string;
  readonly hello: string;
  readonly tls: 'none' | { readonly version: string; readonly cipher: string };
}

export interface TestSink {
  readonly port: number;
  /** Every message so far. */
  readonly delivered: readonly Delivered[];
  /** The next message that was not asked for yet; waits for it. */
  next(): Promise<Delivered>;
  close(): void;
}

export async function startTestSink(): Promise<TestSink> {
  const delivered: Delivered[] = [];
  const arrivals = new EventEmitter();
  const { log } = createLogChannel(({ event, fields }) => {
    if (event !== 'delivered') return;
    delivered.push({ tls: 'none', ...JSON.parse(JSON.stringify(fields)) } as Delivered);
    arrivals.emit('message');
  });
  const sink = await startSink(log, 'sink.example');
  let asked = 0;
  return {
    port: sink.port,
    delivered,
    async next() {
      const index = asked++;
      while (delivered.length <= index) await once(arrivals, 'message');
      return delivered[index]!;
    },
    close: () => sink.close(),
  };
}
