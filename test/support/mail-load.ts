/** Many clients that send mail as fast as they are let, and books of what was acknowledged to them. */
import { Closed, SmtpClient } from './smtp-client.js';
import type { HelloOptions } from './test-client.js';

export interface MailLoad {
  /** Envelope senders of messages whose 250 the client has read; each message has one of its own. */
  readonly acknowledged: ReadonlySet<string>;
  /** Sent, but without a 250: the backend may have it or not. */
  readonly uncertain: ReadonlySet<string>;
  /** Resolves when so many are acknowledged. */
  reach(count: number): Promise<void>;
  /** Lets every client finish its message. */
  stop(): Promise<void>;
}

/**
 * @param port where to connect now; asked before each connection
 * @param clients how many at the same time: half of them under Node's TLS, the others under that of OLD_HELLOS in turn
 * @param domain of all envelope senders; two loads need two of them
 */
export function startMailLoad(port: () => number, clients: number, domain = 'load.example'): MailLoad {
  const acknowledged = new Set<string>();
  const uncertain = new Set<string>();
  const waiting: { count: number; resolve: () => void }[] = [];
  let going = true;
  let next = 0;
  let olds = 0;

  const acknowledge = (from: string): void => {
    uncertain.delete(from);
    acknowledged.add(from);
    for (const { count, resolve } of waiting) if (acknowledged.size >= count) resolve();
  };

  const session = async (old: boolean): Promise<void> => {
    const client = await SmtpClient.connect(port());
    try {
      await client.reply();
      await client.command('EHLO load.example');
      await client.command('STARTTLS');
      if (old) await client.secureLikeOld(OLD_HELLOS[olds++ % OLD_HELLOS.length]!);
      else await client.secure();
      await client.command('EHLO load.example');
      for (let message = 0; message < MESSAGES_PER_SESSION && going; message += 1) {
        const from = `${next++}@${domain}`;
        uncertain.add(from);
        const reply = await client.deliver(from, 'r@sink.example', `Subject: ${from}\r\n\r\n${BODY}`);
        if (!reply.startsWith('250')) return;
        acknowledge(from);
      }
      await client.command('QUIT');
    } finally {
      client.destroy();
    }
  };

  const run = async (old: boolean): Promise<void> => {
    while (going) {
      try {
        await session(old);
      } catch (error) {
        if (!(error instanceof Closed) && (error as NodeJS.ErrnoException).code === undefined) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
      }
    }
  };

  const all = Promise.all(Array.from({ length: clients }, (_, index) => run(index % 2 === 0)));
  return {
    acknowledged,
    uncertain,
    reach: (count) =>
      Promise.race([
        new Promise<void>((resolve) => {
          waiting.push({ count, resolve });
        }),
        all.then(() => undefined),
      ]),
    stop: async () => {
      going = false;
      await all;
    },
  };
}

/** A Java 6 twice, something of the nineties, and something that learnt records but no extensions. */
const OLD_HELLOS: readonly HelloOptions[] = [
  { format: 'sslv2', version: 0x0301, suites: [0x002f] },
  { format: 'sslv2', version: 0x0300, suites: [0x0004, 0x000a] },
  { format: 'sslv2', version: 0x0301, suites: [0x0033, 0x0035] },
  { format: 'record', version: 0x0301, suites: [0x000a, 0x0005] },
];
const MESSAGES_PER_SESSION = 5;
/** Milliseconds, as mail servers do, if in minutes. */
const RETRY_DELAY_MS = 20;
/** 20 kB: more than one record, and more than one read. */
const BODY = `${'x'.repeat(76)}\r\n`.repeat(256);
