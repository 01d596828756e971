/**
 * Declares every configuration key once: its meaning, its format and its default. The types below, validation and the
 * reference in docs/ come from here.
 */
import {
  address,
  backendAddresses,
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
  /** In the format of the file; undefined without a default. */
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
  hostname: withDefault(text, 'localhost', 'The host name in replies of oldhello itself.'),
  'state-directory': withDefault(
    path,
    '/var/lib/oldhello',
    'Folder for files that oldhello creates: a self-signed certificate, a Diffie-Hellman group.',
  ),
  workers: withDefault(
    workers,
    1,
    'Number of processes that serve connections. 1: only the process that accepts them. "auto": one for each processor. A change from 1 to more, or from more to 1, needs a restart.',
  ),
} as const;

const listener = {
  name: required(text, 'The name of this listener in the log.'),
  address: required(address, 'The address and port to listen on.'),
  mode: required(
    oneOf('starttls', 'implicit', 'tcp'),
    '"starttls": plain SMTP until STARTTLS, as on ports 25 and 587. "implicit": SMTP with TLS from the first byte, as on port 465. "tcp": another protocol with TLS from the first byte, such as IMAPS, POP3S, LDAPS or HTTPS; oldhello does not read its content.',
  ),
  backend: required(text, 'The name of the backend for its connections.'),
  auth: withDefault(
    oneOf('tls', 'strong-tls', 'always'),
    'tls',
    'Which clients may log in (AUTH), if the backend offers it. "tls": clients with TLS. "strong-tls": clients with TLS 1.2 or later, but not with RC4, DES or 3DES. "always": also clients without TLS. Other clients get 538 for AUTH at any point of their session; oldhello reads all their commands, and refuses commands that SMTP servers may parse differently. Not applied with tls = "observe" in the backend.',
  ),
  'bare-lf': withDefault(
    oneOf('accept', 'reject'),
    'accept',
    'What to do with commands that end with LF alone, as some old devices and scripts send them. "accept" sends them to the backend with CR LF. "reject" replies 500 and closes. This applies only to commands that oldhello reads.',
  ),
  'server-names': withDefault(
    serverNames,
    [],
    'The host names of this listener. Each must be in a [[certificate]], and only certificates for these names are used here. A client gets the certificates for the name that it requests (SNI). If it requests none, as old clients do, or another name, it gets those for the first name. Empty: all certificates are used, and the default is the first name of the first certificate.',
  ),
  'proxy-protocol': withDefault(
    networks,
    [],
    'Networks of load balancers that connect here. Each connection must begin with a PROXY header. If this is set, connections from all other addresses are refused. "::/0" contains IPv4 addresses too, see networks in [[policy]].',
  ),
} as const;

const backend = {
  name: required(text, 'The name of this backend, for backend in a [[listener]].'),
  address: required(
    backendAddresses,
    'The address and port of the backend, or its Unix socket. A backend may have several addresses, as a list or as those of a host name; each session uses one of them that is up.',
  ),
  balance: withDefault(
    oneOf('first', 'round-robin'),
    'first',
    'Which of several addresses a session uses. "first": the first one that is up. "round-robin": all that are up, in turn.',
  ),
  identity: required(
    oneOf('proxy-v2', 'proxy-v1', 'xclient', 'none'),
    'How the backend gets the address of the client. "proxy-v2", "proxy-v1": in a header of the PROXY protocol. "xclient": with the SMTP command XCLIENT, for backends without the PROXY protocol; the backend then has the address but not the host name of the client. "none": not at all; for the backend, every client has the address of oldhello.',
  ),
  tls: withDefault(
    oneOf('none', 'starttls', 'implicit', 'bridge', 'observe'),
    'none',
    'TLS between oldhello and the backend. "none": plain SMTP. "starttls", "implicit": connections of clients with TLS also use TLS to the backend. "bridge": modern clients get the TLS of the backend itself; for old clients, oldhello decrypts and uses TLS to the backend, in the mode of the listener. "observe": all clients get the TLS of the backend itself, and oldhello changes nothing; it logs what it reads in clear: HELO, ClientHello, ServerHello and alerts.',
  ),
  'tls-ca': optional(
    path,
    'PEM file ("BEGIN CERTIFICATE") with the certificate authorities for the certificate of the backend. Absent: the authorities of Node.',
  ),
  'tls-name': optional(
    text,
    'The name that the certificate of the backend must have. Absent: the host in its address, "localhost" for a Unix socket.',
  ),
  'tls-pin': optional(
    pin,
    'The SHA-256 of the public key of the backend, in base64. If set, only the key is verified; the issuer, the names and the dates of the certificate are ignored.',
  ),
  modern: optional(
    oneOf('terminate', 'engine', 'passthrough'),
    'Which TLS serves clients that support TLS 1.2 or 1.3 with forward secrecy. "terminate": the TLS of Node. "engine": the engine of oldhello, with TLS 1.2 at most. "passthrough": the TLS of the backend; it needs tls = "bridge". Absent: "passthrough" with tls = "bridge", otherwise "terminate".',
  ),
  'acknowledge-relay-risk': withDefault(
    flag,
    false,
    'Allows identity "none" with a backend on a loopback or private address, because most mail servers relay for such addresses, and with tls = "observe", because oldhello then cannot check in each session that the backend does not accept XCLIENT from it.',
  ),
  'first-session': withDefault(
    oneOf('learnt', 'live'),
    'learnt',
    'Which side replies to a client before its mail or TLS begins. "learnt": oldhello, with the replies that the backend sent to health checks and earlier clients. It opens a session with the backend for the first command other than EHLO, HELO, NOOP, RSET, QUIT and STARTTLS, so a delivery over STARTTLS takes one session instead of two. "live": the backend, in a session from the first byte, which ends when TLS begins. Always "live" with tls = "bridge" or "observe", and with a list of several addresses.',
  ),
  'connect-timeout': withDefault(
    duration,
    '10s',
    'Timeout for the connection to the backend; at most 2 s if there is another address to try.',
  ),
  'health-interval': withDefault(
    durationOrNone,
    '30s',
    'Interval of health checks of the backend; the first one is at the start. A check is: connect, wait for the greeting, QUIT; with first-session = "learnt" also EHLO, NOOP and RSET; only connect if all its listeners have mode = "tcp". The PROXY header of these connections is LOCAL (version 1: UNKNOWN). "0": no checks.',
  ),
} as const;

const certificate = {
  chain: optional(path, 'PEM file: the certificate, then its intermediate certificates.'),
  key: optional(path, 'PEM file: the private key.'),
  pkcs12: optional(path, 'PKCS#12 file with certificate and key, instead of chain and key.'),
  'passphrase-file': optional(
    path,
    'File with the passphrase of the key or of the PKCS#12 file in its first line.',
  ),
  use: withDefault(
    oneOf('all', 'legacy', 'modern'),
    'all',
    'Which clients get this certificate. "all": all. "legacy": only old clients. "modern": only clients of Node\'s TLS; with modern = "engine", only clients with TLS 1.2 and extensions.',
  ),
} as const;

const tls = {
  profile: withDefault(
    profile,
    'legacy',
    '"intermediate": TLS 1.2 with forward secrecy. "legacy": also TLS 1.0, TLS 1.1 and SSLv2-format hellos; RC4 and 3DES only for clients that offer nothing better. "ancient": also SSLv3.',
  ),
  'sslv2-hello': optional(flag, 'Accept SSLv2-format hellos. Absent: the profile decides.'),
  'min-version': optional(version, 'The oldest version to negotiate. Absent: the profile decides.'),
  'max-version': optional(version, 'The newest version the engine negotiates. Absent: the profile decides.'),
  rc4: optional(flag, 'Allow RC4. Absent: the profile decides.'),
  'triple-des': optional(flag, 'Allow 3DES. Absent: the profile decides.'),
  'record-splitting': optional(
    flag,
    'Split data into two records for CBC suites of SSLv3 and TLS 1.0, against BEAST; some old clients then read only the first record. Absent: no.',
  ),
  'small-block-limit': optional(
    count,
    'How many bytes a connection may encrypt in each direction with 3DES or DES before it is closed, against SWEET32. Absent: 1073741824.',
  ),
  'ticket-key-file': optional(
    path,
    "File with keys for session tickets, one a line. Machines with the same file can resume each other's sessions; docs/scaling.md describes how to make and change it. It is read again when it changes. Absent: random keys that only this oldhello has.",
  ),
  'single-des': withDefault(flag, false, 'Allow single DES. Anyone can break it in a day.'),
} as const;

const sessionStore = {
  url: optional(
    storeUrl,
    'URL of the Redis or Valkey server. It needs ticket-key-file in [tls], because its keys also encrypt stored sessions. Absent: only this machine can resume its sessions by id.',
  ),
  'password-file': optional(path, 'File with the password for the server in its first line.'),
  'key-prefix': withDefault(text, 'oldhello:', 'Prefix for the keys of stored sessions.'),
  timeout: withDefault(
    duration,
    '100ms',
    'How long a handshake waits for the server before it continues as a full handshake; at most 200ms.',
  ),
} as const;

const policy = {
  networks: withDefault(
    networks,
    [],
    'Networks of the clients of this entry. The first entry that matches a client applies. Empty and without networks-file: all clients; such an entry must be the last one. IPv4 addresses count as ::ffff:0:0/96 of IPv6, so "::/0" contains them too; "0.0.0.0/0" contains no IPv6 address, and "2000::/3" no IPv4 address.',
  ),
  'networks-file': optional(
    path,
    'File with more networks or addresses, one a line; "#" and ";" begin a comment. It is read again at a reload. An empty file matches no client. At most 8 MiB, which is half a million networks.',
  ),
  profile: optional(profile, 'Profile instead of the one in [tls].'),
  'sslv2-hello': optional(flag, 'Accept SSLv2-format hellos.'),
  'offer-starttls': withDefault(flag, true, 'Offer STARTTLS to these clients.'),
  'max-connections': optional(count, 'Maximum number of connections of all these clients together.'),
  refuse: withDefault(flag, false, 'Refuse these clients.'),
} as const;

const limits = {
  'max-connections': withDefault(count, 2000, 'Maximum number of client connections.'),
  'max-connections-per-address': withDefault(
    count,
    50,
    'Maximum number of client connections from one IPv4 address or one IPv6 /64.',
  ),
  'max-handshakes': withDefault(count, 500, 'Maximum number of TLS handshakes at the same time.'),
  'handshakes-per-second': withDefault(
    countOrNone,
    500,
    'Maximum number of TLS handshakes a second. A burst of ten times this number is allowed. 0: no limit.',
  ),
  'handshakes-per-second-per-address': withDefault(
    countOrNone,
    50,
    'Maximum number of TLS handshakes a second from one IPv4 address or one IPv6 /64. A burst of ten times this number is allowed. 0: no limit.',
  ),
  'max-buffered-bytes': withDefault(
    count,
    16_384,
    'How many bytes oldhello buffers in each direction of a connection for a side that reads slowly. Beyond this, it stops reading from the other side. One read of up to 64 kB is always buffered.',
  ),
  'proxy-header-timeout': withDefault(duration, '5s', 'Timeout for the PROXY header of a load balancer.'),
  'greeting-timeout': withDefault(duration, '5m', 'Timeout for the greeting of the backend.'),
  'command-timeout': withDefault(
    duration,
    '5m',
    'Timeout for the next command of a client, until its mail begins.',
  ),
  'handshake-timeout': withDefault(duration, '30s', 'Timeout for a TLS handshake.'),
  'idle-timeout': withDefault(
    duration,
    '11m',
    'How long a connection with mail may be idle in both directions. RFC 5321 gives a server ten minutes to accept a message.',
  ),
  'tcp-idle-timeout': withDefault(
    duration,
    '31m',
    'How long a connection may be idle in both directions on a listener with mode = "tcp". RFC 9051, 5.4 gives an IMAP client thirty minutes.',
  ),
  'starttls-suppress-after': withDefault(
    countOrNone,
    5,
    'After this number of failed handshakes in a row, all with the same hello, an address is not offered STARTTLS for a while. Its mail can then come without TLS, if the sender allows that. Only failures that would repeat count: client and oldhello have no version, cipher suite or certificate in common. Not affected are addresses with a successful handshake within starttls-suppress-for, and listeners for logins: those on port 587 or with auth = "strong-tls". 0: never.',
  ),
  'starttls-suppress-for': withDefault(duration, '1h', 'How long such an address is not offered STARTTLS.'),
  'shutdown-timeout': withDefault(
    duration,
    '30s',
    'How long open connections may continue when oldhello is stopped.',
  ),
} as const;

const log = {
  file: optional(path, 'Log file. After SIGHUP it is opened again, for logrotate. Absent: standard output.'),
  level: withDefault(
    oneOf('trace', 'debug', 'info', 'warn', 'error'),
    'info',
    'The lowest level that is logged.',
  ),
  format: withDefault(
    oneOf('auto', 'json', 'pretty'),
    'auto',
    '"json": one JSON object a line. "pretty": human-readable lines. "auto": "pretty" on a terminal, otherwise "json".',
  ),
  priorities: withDefault(
    oneOf('auto', 'always', 'never'),
    'auto',
    'Whether each line begins with its priority for the systemd journal, such as "<6>". "auto": if standard output is the journal.',
  ),
  'repeat-limit': withDefault(
    countOrNone,
    10,
    'How many failures of the same kind from one network (/24 or /64) have their own log line in a minute; one more line has the number of the rest. Clients that connect and say nothing count too. 0: no limit.',
  ),
} as const;

const admin = {
  address: optional(
    address,
    'The address and port of the status page and the metrics. They use HTTP without TLS and have no login. Absent: they are not served.',
  ),
  'host-names': withDefault(
    names,
    [],
    'Allowed host names in the Host header of requests, besides IP addresses and "localhost". Other names are refused, so that a foreign web page cannot read the status through the browser of its visitor (DNS rebinding).',
  ),
  'acknowledge-exposure': withDefault(
    flag,
    false,
    'Allows an address that is not loopback. Then everyone who can connect sees who sends mail here.',
  ),
} as const;

/** Single tables, `[name]`. */
export const SECTIONS = { server, tls, 'session-store': sessionStore, limits, log, admin } as const;
/** Arrays of tables, `[[name]]`. */
export const LISTS = { listener, backend, certificate, policy } as const;
/** Keys that are read at the start only; a reload logs their changes and does not apply them. */
export const READ_AT_START: Readonly<Partial<Record<keyof typeof SECTIONS, readonly string[]>>> = {
  log: Object.keys(log),
  admin: Object.keys(admin),
};

/** What each table is for. */
export const TABLES: Readonly<Record<keyof typeof SECTIONS | keyof typeof LISTS, string>> = {
  server: 'General settings.',
  listener: 'One for each address that clients connect to; at least one.',
  backend: 'One for each mail server behind oldhello; at least one.',
  certificate:
    'One for each certificate with its key: chain and key in PEM, or both in PKCS#12. Old clients need an RSA certificate; an ECDSA one can be added. With several names, a client gets the certificates for the name that it requests (SNI), see docs/names.md. Without any, oldhello makes a self-signed RSA certificate in the state directory.',
  tls: 'Which TLS is allowed: a profile, and exceptions from it.',
  'session-store':
    'A Redis or Valkey server in which several machines store sessions that are resumed by id; see docs/scaling.md. Optional: if it does not answer in time, the client does a full handshake.',
  policy:
    'Exceptions for networks of clients. The first entry that matches a client applies. An entry without networks applies to all clients and must be the last one.',
  limits:
    'Limits and timeouts. A client over one of the first five limits is disconnected, with the reply 421 4.7.0 where SMTP is possible; the log names the limit.',
  log: 'The log. A change needs a restart.',
  admin: 'The status page and the metrics for Prometheus. A change needs a restart.',
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
