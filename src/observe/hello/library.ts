/**
 * Which TLS library probably sent a hello. Each rule rests on captured hellos; without a match the result is "unknown".
 */
import {
  ExtensionType,
  isSslv2CipherKind,
  TLS_EMPTY_RENEGOTIATION_INFO_SCSV,
  type ClientHello,
} from '../../tls/index.js';
import { isGrease, numbers } from './hello-numbers.js';

export function likelyLibrary(hello: ClientHello): string {
  if (hello.sslv2 !== undefined) return libraryOf(SSLV2_RULES, hello.sslv2.cipherSpecs, hello);
  if (hello.extensions !== undefined && hello.extensions.size > MAX_EXTENSIONS) return 'unknown';
  const extensions = [...(hello.extensions?.keys() ?? [])];
  return libraryOf(
    RECORD_RULES,
    extensions.filter((type) => !INCIDENTAL.has(type) && !isGrease(type)),
    hello,
  );
}

function libraryOf(rules: readonly Rule[], numbers: readonly number[], hello: ClientHello): string {
  return rules.find(({ matches }) => matches(numbers, hello))?.library ?? 'unknown';
}

interface Rule {
  readonly library: string;
  /** @param numbers cipher specs of the SSLv2 format; types of extensions, in order, of the record format */
  readonly matches: (numbers: readonly number[], hello: ClientHello) => boolean;
}

const SSLV2_RULES: readonly Rule[] = [
  {
    // JSSE puts an SSL 2.0 kind behind the suite whose low byte it mistakes for its own: 0700c0 behind c00a.
    library: 'JSSE 7 or later',
    matches: (specs) => isFollowedBy(specs, 0xc00a, 0x0700c0),
  },
  {
    // Java 6: RC4-MD5 first, each kind right behind its suite.
    library: 'JSSE 6',
    matches: (specs) => startsWith(specs, [0x04, 0x010080, 0x05, 0x2f, 0x33, 0x32, 0x0a, 0x0700c0]),
  },
  {
    // Internet Explorer 6 on Windows XP: the suites of 1998, then all kinds together.
    library: 'Schannel of Windows XP or 2003',
    matches: (specs) => startsWith(specs, [0x04, 0x05, 0x0a, 0x010080, 0x0700c0, 0x030080]),
  },
  {
    // The only one that offers TLS 1.1 or 1.2 in this format and is not JSSE.
    library: 'OpenSSL 1.0.1 or 1.0.2',
    matches: (specs, { clientVersion }) =>
      clientVersion >= 0x0302 && specs.some((spec) => spec >= 0xc000 && spec <= 0xffff),
  },
  {
    // The default list of 0.9.7 and 0.9.8; the signalling suite came with 0.9.8m. Builds without SSL 2.0 have no kinds.
    library: 'OpenSSL 0.9.8m or later 0.9.8',
    matches: (specs) =>
      startsWith(specs.filter(isSuite), OPENSSL_0_9_SUITES) &&
      specs.includes(TLS_EMPTY_RENEGOTIATION_INFO_SCSV),
  },
  {
    library: 'OpenSSL 0.9.7 or 0.9.8 before m',
    matches: (specs) => startsWith(specs.filter(isSuite), OPENSSL_0_9_SUITES),
  },
];

/**
 * Programs choose their suites, and libraries the order of their extensions: it is in the code that writes them, and no
 * setting changes it.
 */
const RECORD_RULES: readonly Rule[] = [
  {
    // OpenSSL 1.1.1 to 3.5, s_client, Node and Python alike; encrypt_then_mac came with 1.1.0.
    library: 'OpenSSL 1.1 or later',
    matches: (types) =>
      types.includes(ExtensionType.encrypt_then_mac) &&
      startsWith(
        types.filter((type) => type !== ExtensionType.renegotiation_info),
        [11, 10],
      ) &&
      isInOrder(types, OPENSSL_3_ORDER),
  },
  {
    // 1.0.0 lists the 25 curves of RFC 4492 by number; later versions have other orders.
    library: 'OpenSSL 1.0.0',
    matches: (types, { extensions }) =>
      startsWith(types, [11, 10]) &&
      types.slice(2).every((type) => type === ExtensionType.session_ticket) &&
      startsWith(numbers(extensions?.get(ExtensionType.supported_groups), 2, 2), CURVES_BY_NUMBER),
  },
  {
    // The heartbeat extension, which 1.0.1 began and 1.1.0 ended; Node 0.10 to 8 had none, and ended with NPN.
    library: 'OpenSSL 1.0.1 or 1.0.2',
    matches: (types) =>
      startsWith(types, [11, 10]) &&
      isInOrder(types, OPENSSL_1_0_ORDER) &&
      LAST_OF_OPENSSL_1_0.has(types.at(-1)!),
  },
  {
    // SSLv3 has no extensions to go by. SRP came with 1.0.1.
    library: 'OpenSSL 1.0.1',
    matches: (_types, hello) => isPlainList(hello, OPENSSL_1_0_SUITES) && hello.cipherSuites.some(isSrp),
  },
  {
    library: 'OpenSSL 1.0.0 or 1.0.1',
    matches: (_types, hello) => isPlainList(hello, OPENSSL_1_0_SUITES),
  },
  {
    // It has suites of static DH in between.
    library: 'OpenSSL 1.0.2',
    matches: (_types, hello) => isPlainList(hello, OPENSSL_1_0_2_SUITES),
  },
  {
    library: 'GnuTLS 3',
    matches: (types) => startsWith(types, [5, 10, 11]) && types.at(-1) === RECORD_SIZE_LIMIT,
  },
  {
    // status_request_v2 right behind the groups: JDK 17 at every version from SSLv3 to TLS 1.3.
    library: 'JSSE of JDK 11 or later',
    matches: (types) => startsWith(types, [5, 10, 11, 17]),
  },
  {
    library: 'NSS 3',
    matches: (types) => startsWith(types, [23, ExtensionType.renegotiation_info, 10, 11]),
  },
  {
    library: "Go's crypto/tls",
    matches: (types) => startsWith(types, [11, ExtensionType.renegotiation_info, 23, 18, 5, 10]),
  },
  {
    library: 'tlslite-ng',
    matches: (types, { cipherSuites }) =>
      cipherSuites[0] === TLS_EMPTY_RENEGOTIATION_INFO_SCSV && startsWith(types, [22, 23, 13]),
  },
  {
    // The default list of 0.9.7 and 0.9.8, without the kinds of SSL 2.0; 0.9.8 added session tickets.
    library: 'OpenSSL 0.9.7 or 0.9.8',
    matches: (types, { cipherSuites }) =>
      startsWith(cipherSuites, OPENSSL_0_9_SUITES) &&
      types.every((type) => type === ExtensionType.session_ticket),
  },
];

/** Whether it has no extensions, and begins with this default list, of which builds may leave out Camellia and SRP. */
function isPlainList({ extensions, cipherSuites }: ClientHello, list: readonly number[]): boolean {
  const always = cipherSuites.filter((suite) => !CAMELLIA.has(suite) && !isSrp(suite));
  return extensions === undefined && startsWith(always, list);
}

/** RFC 5054, 2.7. */
function isSrp(suite: number): boolean {
  return suite >= 0xc01a && suite <= 0xc022;
}

/** Whether all `values` occur in `order`, in the same sequence. */
function isInOrder(values: readonly number[], order: readonly number[]): boolean {
  return values.every((value, index) =>
    order.includes(value, index === 0 ? 0 : order.indexOf(values[index - 1]!) + 1),
  );
}

function startsWith(values: readonly number[], start: readonly number[]): boolean {
  return start.every((value, index) => values[index] === value);
}

function isFollowedBy(specs: readonly number[], first: number, second: number): boolean {
  const at = specs.indexOf(first);
  return at >= 0 && specs[at + 1] === second;
}

/** RFC 6520. */
const HEARTBEAT = 15;
/** draft-agl-tls-nextprotoneg-04. */
const NEXT_PROTOCOL_NEGOTIATION = 13_172;

const isSuite = (spec: number): boolean => !isSslv2CipherKind(spec);

const OPENSSL_0_9_SUITES = [0x39, 0x38, 0x35, 0x16, 0x13, 0x0a, 0x33, 0x32, 0x2f];
const OPENSSL_1_0_SUITES = [0xc014, 0xc00a, 0x39, 0x38, 0xc00f, 0xc005, 0x35, 0xc012, 0xc008];
const OPENSSL_1_0_2_SUITES = [0xc014, 0xc00a, 0x39, 0x38, 0x37, 0x36, 0xc00f, 0xc005, 0x35];
/** RFC 4132, 2: those of RSA, DHE_DSS and DHE_RSA. */
const CAMELLIA = new Set([0x41, 0x44, 0x45, 0x84, 0x87, 0x88]);
/** 3.5 begins with renegotiation_info where it offers TLS 1.3, and ends with compress_certificate. */
const OPENSSL_3_ORDER = [ExtensionType.renegotiation_info, 11, 10, 35, 5, 22, 23, 13, 43, 45, 51, 27];
const CURVES_BY_NUMBER = Array.from({ length: 25 }, (_, index) => index + 1);

/** Server name, ALPN and padding (RFC 7685) depend on the destination and on the length of the hello. */
const INCIDENTAL = new Set<number>([
  ExtensionType.server_name,
  ExtensionType.application_layer_protocol_negotiation,
  21,
]);
const OPENSSL_1_0_ORDER = [11, 10, 35, 13, HEARTBEAT, NEXT_PROTOCOL_NEGOTIATION];
const LAST_OF_OPENSSL_1_0 = new Set([HEARTBEAT, NEXT_PROTOCOL_NEGOTIATION]);
/** More than any library sends. */
const MAX_EXTENSIONS = 64;
/** RFC 8449. */
const RECORD_SIZE_LIMIT = 28;
