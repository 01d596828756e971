/** A visit of an old client, again and again: what it gets in one, it offers in the next. */
import { SmtpClient } from './smtp-client.js';
import type { HelloOptions, TestClient } from './test-client.js';

export interface Visit {
  readonly tls: TestClient;
  readonly resumed: boolean;
  /** Who answered, by the name it gives itself. */
  readonly node: string;
  /** The reply to the message. */
  readonly reply: string;
}

export type ResumesBy = 'ticket' | 'session id';

export interface VisitOptions {
  /** A visit whose session is offered again. */
  readonly earlier?: Visit | undefined;
  /** The address to come from. */
  readonly from?: string;
  /** Of the message. */
  readonly subject?: string;
}

/** Delivers a message over STARTTLS. */
export async function visit(
  port: number,
  by: ResumesBy,
  { earlier, from, subject = 'x' }: VisitOptions = {},
): Promise<Visit> {
  const client = await SmtpClient.connect(port, from);
  try {
    await client.reply();
    await client.command('EHLO old.example');
    const ready = await client.command('STARTTLS');
    const [, , node = ''] = ready.split(' ');
    const hello = helloOf(by, earlier?.tls);
    const { client: tls, resumed } =
      earlier === undefined
        ? { client: await client.secureLikeOld(hello), resumed: false }
        : await client.secureAgain(hello, earlier.tls);
    await client.command('EHLO old.example');
    const reply = await client.deliver('a@old.example', 'b@new.example', `Subject: ${subject}\r\n\r\nx`);
    await client.command('QUIT');
    return { tls, resumed, node, reply };
  } finally {
    client.destroy();
  }
}

/** TLS 1.0 with the suites of its day. */
function helloOf(by: ResumesBy, earlier: TestClient | undefined): HelloOptions {
  const hello = { version: 0x0301, suites: [0x2f, 0x35] };
  if (by === 'session id') return { ...hello, sessionId: earlier?.server?.sessionId ?? Buffer.alloc(0) };
  return { ...hello, extensions: [[SESSION_TICKET, earlier?.ticket ?? Buffer.alloc(0)]] };
}

const SESSION_TICKET = 35;
