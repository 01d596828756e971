/** How far a session can have come when something happens to it. Each takes a client there from its connection. */
import type { SmtpClient } from '../support/smtp-client.js';
import { TestClient, type HelloOptions } from '../support/test-client.js';
import type { Books } from './books.js';

/** A Java 6. */
export const OLD_CLIENT: HelloOptions = { format: 'sslv2', version: 0x0301, suites: [0x002f] };

type Advance = (client: SmtpClient, books: Books) => Promise<void>;

export const connected: Advance = () => Promise.resolve();

const greeted: Advance = async (client) => {
  await client.reply();
};

export const inClear: Advance = async (client) => {
  await client.reply();
  await client.command('EHLO soak.example');
};

export const afterStarttls: Advance = async (client, books) => {
  await inClear(client, books);
  await client.command('STARTTLS');
};

const withinHello: Advance = async (client, books) => {
  await afterStarttls(client, books);
  client.send(new TestClient(OLD_CLIENT).hello().subarray(0, 20));
};

export const afterHello: Advance = async (client, books) => {
  await afterStarttls(client, books);
  client.send(new TestClient(OLD_CLIENT).hello());
};

export const secured: Advance = async (client, books) => {
  await afterStarttls(client, books);
  await client.secureLikeOld(OLD_CLIENT);
  await client.command('EHLO soak.example');
};

const addressed =
  (known: (books: Books, from: string) => void): Advance =>
  async (client, books) => {
    await secured(client, books);
    const from = books.begin();
    known(books, from);
    await client.command(`MAIL FROM:<${from}>`);
    await client.command('RCPT TO:<r@sink.example>');
    await client.command('DATA');
  };

const neverSent = (books: Books, from: string): void => books.cut(from);
const maybeSent = (): void => undefined;

const withinMessage: Advance = async (client, books) => {
  await addressed(neverSent)(client, books);
  client.write(`Subject: cut\r\n\r\n${'x'.repeat(76)}\r\n`);
};

const afterMessage: Advance = async (client, books) => {
  await addressed(maybeSent)(client, books);
  client.write('Subject: answered to nobody\r\n\r\n.\r\n');
};

export const STAGES: readonly (readonly [name: string, reach: Advance])[] = [
  ['connected', connected],
  ['greeted', greeted],
  ['after EHLO in clear', inClear],
  ['after STARTTLS', afterStarttls],
  ['within the hello', withinHello],
  ['after the hello', afterHello],
  ['after EHLO in TLS', secured],
  ['after DATA', addressed(neverSent)],
  ['within the message', withinMessage],
  ['after the last dot', afterMessage],
];
