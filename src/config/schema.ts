/**
 * Every configuration key, declared once: what it means, what may be written, and what holds where it is absent. The
 * types below, validation, and the reference in docs/ all come from here.
 */
import {
  address,
  count,
  countOrNone,
  duration,
  durationOrNone,
  flag,
  names,
  networks,
  oneOf,
  path,
  pin,
  serverNames,
  storeUrl,
  text,
  workers,
  type Format,
} from './formats.js';

export interface Key<T> {
  readonly doc: string;
  readonly format: Format<T>;
  /** As it would be written; undefined for a key that has no default. */
  readonly default: unknown;
  readonly required: boolean;
}

const required = <T>(format: Format<T>, doc: string): Key<T> => ({
  doc,
  format,
  default: undefined,
  required: true,
});
const optional = <T>(format: Format<T>, doc: string): Key<T | undefined> => ({
  doc,
  format,
  default: undefined,
  required: false,
});
const withDefault = <T>(format: Format<T>, standard: unknown, doc: string): Key<T> => ({
  doc,
  format,
  default: standard,
  required: false,
});

const profile = oneOf('intermediate', 'legacy', 'ancient');
const version = oneOf('SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2');

const server = {
  hostname: withDefault(text, 'localhost', 'The name oldhello gives itself in replies of its own.'),
  'state-directory': withDefault(
    path,
    '/var/lib/oldhello',
    'Where things are kept that oldhello makes itself: a self-signed certificate, a Diffie-Hellman group.',
  ),
  workers: withDefault(
    workers,
    1,
    'Processes that run the connections. 1: the process that accepts them. "auto": one for each processor. A change between 1 and more takes a restart.',
  ),
} as const;

const listener = {
  name: required(text, 'Names this listener in the log.'),
  address: required(address, 'Where to listen.'),
  mode: required(
    oneOf('starttls', 'implicit', 'tcp'),
    '"starttls": SMTP in clear first, as on ports 25 and 587. "implicit": SMTP with TLS from the first byte, as on port 465. "tcp": another protocol with TLS from the first byte, such as IMAPS, POP3S, LDAPS or HTTPS; oldhello does not read what is inside.',
  ),
  backend: required(text, 'The name of the backend that takes the mail.'),
  auth: withDefault(
    oneOf('tls', 'strong-tls', 'always'),
    'tls',
    'Who may log in (AUTH), if the backend lets anybody. "tls": clients that came over TLS. "strong-tls": those with TLS 1.2 or later and neither RC4 nor DES nor 3DES. "always": also in clear. Other clients get 538 for AUTH at any point of their session; oldhello reads all their commands, and refuses those that SMTP servers may read differently.',
  ),
  'bare-lf': withDefault(
    oneOf('accept', 'reject'),
    'accept',
    'Commands that end with LF alone, as old devices and scripts send them, where oldhello reads commands: "accept" passes them to the backend with CR LF, "reject" answers 500 and closes.',
  ),
  'server-names': withDefault(
    serverNames,
    [],
    'The names that clients know this listener by; each must be in a [[certificate]], and only certificates for them are shown here. A client gets those for the name that it asks for (SNI); if it asks for none, as old clients do, or for another, those for the first. Empty: all certificates, and the first name of the first one stands first.',
  ),
  'proxy-protocol': withDefault(
    networks,
    [],
    'Networks of load balancers that connect here, each connection with a PROXY header. Where set, nobody else may connect.',
  ),
} as const;

const backend = {
  name: required(text, 'What listeners call this backend.'),
  address: required(address, 'Where the backend listens.'),
  identity: required(
    oneOf('proxy-v2', 'proxy-v1', 'xclient', 'none'),
    'How the backend learns who the client is. "proxy-v2", "proxy-v1": by a header of the PROXY protocol. "xclient": by the SMTP command of that name, for backends without the PROXY protocol; it tells no host name, so the backend knows clients by address only. "none": not at all, and every client has the address of oldhello.',
  ),
  tls: withDefault(
    oneOf('none', 'starttls', 'implicit', 'bridge', 'observe'),
    'none',
    'TLS of the backend\'s own, behind oldhello. "none": plain SMTP. "starttls", "implicit": mail that came over TLS goes on over TLS. "bridge": clients of today get the TLS of the backend itself, and only old ones end at oldhello, which goes on over the TLS that the backend has for the listener\'s mode. "observe": every client, old or new, gets the TLS of the backend itself, nothing that passes is changed, and what is in clear is logged: hellos, what the backend answers, alerts.',
  ),
  'tls-ca': optional(
    path,
    'PEM file ("BEGIN CERTIFICATE"): who may have signed the certificate of the backend. Absent: the authorities that Node knows.',
  ),
  'tls-name': optional(
    text,
    'The name that the certificate of the backend must have. Absent: the host in its address.',
  ),
  'tls-pin': optional(
    pin,
    'The SHA-256 of the public key of the backend, in base64. Where given, its certificate may be signed by anybody.',
  ),
  modern: optional(
    oneOf('terminate', 'engine', 'passthrough'),
    'Who serves clients that do TLS 1.2 or 1.3 well. "terminate": the TLS of Node. "engine": the engine of oldhello, which ends at TLS 1.2. "passthrough": the backend, which must have tls = "bridge". Absent: "passthrough" where it can be, else "terminate".',
  ),
  'acknowledge-relay-risk': withDefault(
    flag,
    false,
    'Allows identity "none" with a backend on a loopback or private address, where most mail servers relay for everybody.',
  ),
  'connect-timeout': withDefault(
    duration,
    '10s',
    'How long a connection to the backend may take to be made.',
  ),
  'health-interval': withDefault(
    durationOrNone,
    '30s',
    'How often the backend is tried, at the start too: connect, wait for the greeting, QUIT; connect only, if just listeners with mode = "tcp" use it. With the PROXY protocol the connection is marked as LOCAL. "0": never.',
  ),
} as const;

const certificate = {
  chain: optional(path, 'PEM file: the certificate, then those that lead to its root.'),
  key: optional(path, 'PEM file: the private key of the certificate.'),
  pkcs12: optional(path, 'PKCS#12 file with both, instead of chain and key.'),
  'passphrase-file': optional(path, 'File whose first line opens the key or the PKCS#12 file.'),
  use: withDefault(
    oneOf('all', 'legacy', 'modern'),
    'all',
    'Who is shown this certificate: everybody, only old clients ("legacy"), or only those of Node\'s TLS ("modern"; with modern = "engine": those that have extensions and TLS 1.2).',
  ),
} as const;

const tls = {
  profile: withDefault(
    profile,
    'legacy',
    '"intermediate": TLS 1.2 with forward secrecy. "legacy": TLS 1.0 to 1.2 and SSLv2-format hellos, RC4 and 3DES only for clients with nothing better. "ancient": SSLv3 too.',
  ),
  'sslv2-hello': optional(flag, 'Accept SSLv2-format hellos. Absent: as the profile says.'),
  'min-version': optional(version, 'The oldest version to negotiate. Absent: as the profile says.'),
  'max-version': optional(version, 'The newest version the engine negotiates. Absent: as the profile says.'),
  rc4: optional(flag, 'Allow RC4. Absent: as the profile says.'),
  'triple-des': optional(flag, 'Allow 3DES. Absent: as the profile says.'),
  'record-splitting': optional(
    flag,
    'Send data of SSLv3 and TLS 1.0 in CBC suites in two records, against BEAST; some old clients then read only the first. Absent: no.',
  ),
  'small-block-limit': optional(
    count,
    'How many bytes a connection may encrypt each way with 3DES or DES before it is closed, against SWEET32. Absent: 1073741824.',
  ),
  'ticket-key-file': optional(
    path,
    "File with keys for session tickets, one a line, so that several machines with the same file resume each other's sessions; docs/scaling.md says how to make and change it. It is read again when it changes. Absent: keys of this process alone.",
  ),
  'single-des': withDefault(flag, false, 'Allow single DES, which anybody can break in a day.'),
} as const;

const sessionStore = {
  url: optional(
    storeUrl,
    'Where the Redis or Valkey is. It needs [tls] ticket-key-file, whose keys also seal what is stored. Absent: sessions are known by id to this machine alone.',
  ),
  'password-file': optional(path, 'File whose first line is the password for it.'),
  'key-prefix': withDefault(text, 'oldhello:', 'What the names of stored sessions begin with.'),
  timeout: withDefault(
    duration,
    '100ms',
    'How long a handshake waits for an answer at most, before it is made in full; 200ms is the limit.',
  ),
} as const;

const policy = {
  networks: withDefault(
    networks,
    [],
    'Whom this entry is for; the first entry that matches counts. Empty, and no networks-file: everybody, so it must stand last.',
  ),
  'networks-file': optional(
    path,
    'File with more networks or addresses, one a line; what follows "#" or ";" is a comment. It is read again at a reload. An empty file has nobody in it. At most 8 MiB, which is half a million networks.',
  ),
  profile: optional(profile, 'Another profile than [tls] has.'),
  'sslv2-hello': optional(flag, 'Accept SSLv2-format hellos, or not.'),
  'offer-starttls': withDefault(flag, true, 'Offer STARTTLS to these clients.'),
  'max-connections': optional(count, 'Connections that these clients may have, all of them together.'),
  refuse: withDefault(flag, false, 'Turn these clients away.'),
} as const;

const limits = {
  'max-connections': withDefault(count, 2000, 'Client connections in total.'),
  'max-connections-per-address': withDefault(
    count,
    50,
    'Client connections from one IPv4 address, or one /64 of IPv6.',
  ),
  'max-handshakes': withDefault(count, 500, 'TLS handshakes that run at the same time.'),
  'handshakes-per-second': withDefault(
    countOrNone,
    500,
    'TLS handshakes a second in total. A burst of what comes in ten seconds is let through. 0: no limit.',
  ),
  'handshakes-per-second-per-address': withDefault(
    countOrNone,
    50,
    'TLS handshakes a second from one IPv4 address, or one /64 of IPv6, with such a burst too. 0: no limit.',
  ),
  'max-buffered-bytes': withDefault(
    count,
    16_384,
    'What a connection keeps, each way, for a side that does not take it: with more than this, the other side is not read. What came in one read, up to 64 kB, is kept in any case.',
  ),
  'proxy-header-timeout': withDefault(
    duration,
    '5s',
    'How long a load balancer may take for its PROXY header.',
  ),
  'greeting-timeout': withDefault(duration, '5m', 'How long the backend may take to greet.'),
  'command-timeout': withDefault(duration, '5m', 'How long a client may be silent before its mail begins.'),
  'handshake-timeout': withDefault(duration, '30s', 'How long a TLS handshake may take.'),
  'idle-timeout': withDefault(
    duration,
    '11m',
    'How long both sides may be silent once mail is flowing; RFC 5321 gives a backend ten minutes to accept a message.',
  ),
  'tcp-idle-timeout': withDefault(
    duration,
    '31m',
    'How long both sides may be silent on a listener with mode = "tcp"; RFC 9051, 5.4 gives an IMAP client thirty minutes.',
  ),
  'starttls-suppress-after': withDefault(
    countOrNone,
    5,
    'After so many failed handshakes in a row, all with the same hello, an address is not offered STARTTLS for a while, so that its mail can come in clear if its sender allows that. Only failures count that repeating cannot mend: no version, cipher suite or certificate suits both sides. It never applies to an address where a handshake succeeded in the time of starttls-suppress-for, nor to a listener for logging in: one on port 587, or with auth = "strong-tls". 0: never.',
  ),
  'starttls-suppress-for': withDefault(duration, '1h', 'How long an address is not offered STARTTLS.'),
  'shutdown-timeout': withDefault(duration, '30s', 'How long sessions may go on when oldhello is stopped.'),
} as const;

const log = {
  file: optional(
    path,
    'The file that the log is appended to. SIGHUP opens it again, after logrotate has moved it. Absent: standard output.',
  ),
  level: withDefault(
    oneOf('trace', 'debug', 'info', 'warn', 'error'),
    'info',
    'What is logged, from this level up.',
  ),
  format: withDefault(
    oneOf('auto', 'json', 'pretty'),
    'auto',
    'One JSON object a line, or lines for people. "auto": for people on a terminal, else JSON.',
  ),
  priorities: withDefault(
    oneOf('auto', 'always', 'never'),
    'auto',
    'Whether each line begins with its priority, "<6>", as the systemd journal takes it. "auto": where standard output is the journal.',
  ),
  'repeat-limit': withDefault(
    countOrNone,
    10,
    'How many failures of the same kind from one network (/24 or /64) are logged one by one in a minute; further ones are told in one line with their number. 0: all of them.',
  ),
} as const;

const admin = {
  address: optional(
    address,
    'Where the status page and the metrics are served, over HTTP without TLS and to anybody who can connect. Absent: nowhere.',
  ),
  'host-names': withDefault(
    names,
    [],
    'Names, beside IP addresses and "localhost", by which it may be asked for. Any other name in the Host header is refused, so that no web page can have its reader\'s browser ask.',
  ),
  'acknowledge-exposure': withDefault(
    flag,
    false,
    'Allows an address that is not loopback. Whoever can connect then sees who sends mail here.',
  ),
} as const;

/** Tables that stand once. */
export const SECTIONS = { server, tls, 'session-store': sessionStore, limits, log, admin } as const;
/** Arrays of tables, `[[name]]`. */
export const LISTS = { listener, backend, certificate, policy } as const;
/** What only the start reads; a reload leaves it as it is, and says so. */
export const READ_AT_START: Readonly<Partial<Record<keyof typeof SECTIONS, readonly string[]>>> = {
  log: Object.keys(log),
  admin: Object.keys(admin),
};

/** What each table is for. */
export const TABLES: Readonly<Record<keyof typeof SECTIONS | keyof typeof LISTS, string>> = {
  server: 'The proxy itself.',
  listener: 'One for each address that clients connect to; there must be one.',
  backend: 'One for each mail server that oldhello passes mail to; there must be one.',
  certificate:
    'One for each certificate, with its key: chain and key as PEM, or both as PKCS#12. RSA is what old clients need; ECDSA may stand beside it. With several names, a client gets the certificates for the name that it asks for (SNI), see docs/names.md. Without any, a self-signed RSA certificate is made and kept in the state directory.',
  tls: 'Which TLS is allowed: a profile, and what is to differ from it.',
  'session-store':
    'Redis or Valkey, where several machines keep sessions that are resumed by id; see docs/scaling.md. It is never needed: without an answer in time there is a full handshake.',
  policy:
    'Exceptions for networks of clients. The first entry that has the client counts; an entry without networks is for everybody and must stand last.',
  limits:
    'How much, how fast and for how long. A client over one of the first five hears 421 4.7.0 where SMTP can be spoken, and is disconnected; the log names the limit.',
  log: 'What is written to standard output. A change takes a restart.',
  admin: 'The status page, and the metrics for Prometheus. A change takes a restart.',
};

type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

export type Keys = Readonly<Record<string, Key<unknown>>>;

/** The values of one table, keys in camelCase. */
export type Values<K extends Keys> = {
  readonly [Name in keyof K & string as CamelCase<Name>]: K[Name] extends Key<infer T> ? T : never;
};

export type ListenerConfig = Values<typeof listener>;
export type BackendConfig = Values<typeof backend>;
export type CertificateConfig = Values<typeof certificate>;
export type TlsSettings = Values<typeof tls>;
export type SessionStoreConfig = Values<typeof sessionStore>;
export type PolicyConfig = Values<typeof policy>;
export type LimitsConfig = Values<typeof limits>;
export type LogConfig = Values<typeof log>;
export type AdminConfig = Values<typeof admin>;

export interface Config {
  readonly server: Values<typeof server>;
  readonly listeners: readonly ListenerConfig[];
  readonly backends: readonly BackendConfig[];
  readonly certificates: readonly CertificateConfig[];
  readonly tls: TlsSettings;
  readonly sessionStore: SessionStoreConfig;
  readonly policies: readonly PolicyConfig[];
  readonly limits: LimitsConfig;
  readonly log: LogConfig;
  readonly admin: AdminConfig;
}
