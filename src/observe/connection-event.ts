/** The `connection_closed` log event: everything that is told of a connection, once, when it has ended. */
import {
  flag,
  group,
  integer,
  maybe,
  number,
  oneOf,
  peerText,
  someOf,
  text,
  texts,
  type FieldsOf,
} from './fields.js';
import { NEEDS, type Need } from './hello/needs.js';
import { OUTCOMES, type Outcome } from './outcomes.js';

export const CONNECTION_FIELDS = {
  connection: text(
    'id of the connection: 16 hex digits, the same that the backend gets where its protocol allows',
  ),
  listener: text('name of the listener'),
  client: group('who connected; behind a load balancer, whom its PROXY header names', {
    address: text('IPv4 or IPv6 address'),
    port: integer('port', 'number'),
  }),
  hello: maybe(
    group('the ClientHello, if one came', {
      format: oneOf(['sslv2', 'record'], 'how it was framed'),
      version: text('the newest version it offers'),
      fingerprint: group(
        'a short name for what it offers, the same for every connection of the same client',
        {
          kind: oneOf(['ja3', 'sslv2'], 'JA3, or its like for the SSLv2 format'),
          hash: text('MD5 of the text, 32 hex digits'),
          text: maybe(text('what the hello offers, as numbers; absent where it is longer than 1 KiB')),
          short: text('JA4, or for the SSLv2 format ours in its manner'),
        },
      ),
      library: text('what probably sent it, or "unknown"'),
      offers: group('what it offers, by name', {
        suites: texts('cipher suites in its order, the first dozen'),
        more: integer('how many suites follow these', 'number'),
        sslv2Kinds: integer('cipher kinds of SSL 2.0, which cannot be served', 'number'),
      }),
      needs: someOf(Object.keys(NEEDS) as Need[], 'what it could not have had elsewhere'),
    }),
  ),
  tls: maybe(
    group('what was agreed, if TLS was established', {
      path: oneOf(
        ['engine', 'native', 'passthrough'],
        "who served it: our engine, Node's TLS, or the backend itself",
      ),
      version: text('"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2" or "TLSv1.3"'),
      suite: text("OpenSSL's name of the cipher suite, or its number in hex"),
      keyExchange: maybe(text('"RSA", "DHE" or "ECDHE"; unknown where the backend serves the client')),
      resumed: maybe(flag('whether an earlier session was taken up again')),
      serverName: maybe(peerText('the host name the client asked for (SNI)')),
    }),
  ),
  smtp: maybe(
    group('what was seen of SMTP', {
      helo: peerText('what the client calls itself'),
    }),
  ),
  bytes: group('SMTP, not TLS around it', {
    fromClient: integer('from the client', 'bytes'),
    toClient: integer('to the client', 'bytes'),
  }),
  durations: group('how long it took', {
    total: number('from accept to close', 'milliseconds'),
    handshake: maybe(number('from the moment TLS could begin until it was established', 'milliseconds')),
  }),
  outcome: oneOf(Object.keys(OUTCOMES) as Outcome[], 'how it ended'),
  fault: maybe(oneOf(['client', 'backend', 'proxy'], 'whose doing a failure was')),
  reason: maybe(peerText("why it failed, in a word of oldhello's, OpenSSL's or the system's")),
  alert: maybe(text('the TLS alert that was sent, or that came')),
  explanation: maybe(peerText('the same in a sentence')),
} as const;

/** The fields of the `connection_closed` log event. */
export type ConnectionEvent = FieldsOf<typeof CONNECTION_FIELDS>;
