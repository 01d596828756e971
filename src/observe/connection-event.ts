/** The `connection_closed` log event: one for each connection, when it ends. */
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
  client: group('the client; behind a load balancer, the one in its PROXY header', {
    address: text('IPv4 or IPv6 address'),
    port: integer('port', 'number'),
  }),
  hello: maybe(
    group('the ClientHello, if one came', {
      format: oneOf(['sslv2', 'record'], 'how it was framed'),
      version: text('the newest version it offers'),
      fingerprint: group(
        'short identification of what it offers, the same for every connection of the same client',
        {
          kind: oneOf(['ja3', 'sslv2'], 'JA3, or a similar text for the SSLv2 format'),
          hash: text('MD5 of the text, 32 hex digits'),
          text: maybe(text('what the hello offers, as numbers; absent where it is longer than 1 KiB')),
          short: text('JA4, or a similar text for the SSLv2 format'),
        },
      ),
      library: text('the TLS library that probably sent it, or "unknown"'),
      offers: group('what it offers, by name', {
        suites: texts('cipher suites in its order, the first dozen'),
        more: integer('number of suites after these', 'number'),
        sslv2Kinds: integer('number of cipher kinds of SSL 2.0, which oldhello never accepts', 'number'),
      }),
      needs: someOf(Object.keys(NEEDS) as Need[], 'what the client needs and current TLS libraries lack'),
    }),
  ),
  tls: maybe(
    group('what was agreed, if TLS was established', {
      path: oneOf(
        ['engine', 'native', 'passthrough'],
        "which TLS did the handshake: our engine, Node's, or the backend's own",
      ),
      version: text('"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2" or "TLSv1.3"'),
      suite: text("OpenSSL's name of the cipher suite, or its number in hex"),
      keyExchange: maybe(text('"RSA", "DHE" or "ECDHE"; absent where the backend did the handshake')),
      resumed: maybe(flag('whether an earlier TLS session was resumed')),
      serverName: maybe(peerText('the host name the client asked for (SNI)')),
    }),
  ),
  smtp: maybe(
    group('what was seen of SMTP', {
      helo: peerText('host name that the client sent in EHLO or HELO'),
    }),
  ),
  backendSessions: integer(
    'sessions with the backend that were ready; 0 if it failed, or if none was needed (first-session = "learnt")',
    'number',
  ),
  backendAddress: maybe(text('address of the backend in its last session')),
  bytes: group('bytes of SMTP, without TLS around it', {
    fromClient: integer('from the client', 'bytes'),
    toClient: integer('to the client', 'bytes'),
  }),
  durations: group('how long it took', {
    total: number('from accept to close', 'milliseconds'),
    handshake: maybe(number('from the moment TLS could begin until it was established', 'milliseconds')),
  }),
  outcome: oneOf(Object.keys(OUTCOMES) as Outcome[], 'how it ended'),
  fault: maybe(oneOf(['client', 'backend', 'proxy'], 'which side caused the failure')),
  reason: maybe(peerText('why it failed: a reason of oldhello, of OpenSSL or of the system')),
  alert: maybe(text('the TLS alert that was sent or received')),
  explanation: maybe(peerText('the same in a sentence')),
} as const;

/** The fields of the `connection_closed` log event. */
export type ConnectionEvent = FieldsOf<typeof CONNECTION_FIELDS>;
