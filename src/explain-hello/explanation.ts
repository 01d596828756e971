/** The result of `oldhello explain` for one hello, as data. */
import { describeHello, type HelloDescription } from '../observe/hello-description.js';
import { NEEDS } from '../observe/hello/needs.js';
import { sslv2KindName, suiteName } from '../observe/hello/suite-name.js';
import { isSuite } from '../observe/hello/hello-numbers.js';
import { sanitizePeerText } from '../observe/sanitize.js';
import {
  decodeHelloExtensions,
  isSslv2CipherKind,
  TlsError,
  type Accepted,
  type ClientHello,
  type PresetName,
} from '../tls/index.js';
import { answersOf, type Answer } from './verdict.js';

export interface Explanation {
  /** Undefined if the bytes cannot be read as a hello; `problem` has the reason. */
  readonly hello: ReadHello | undefined;
  readonly problem: string | undefined;
  readonly profiles: readonly Answer[];
  /** The strictest profile that serves it. */
  readonly profile: PresetName | undefined;
}

export interface ReadHello extends Omit<HelloDescription, 'offers'> {
  readonly serverName: string | undefined;
  /** All of them, in the order of the hello. */
  readonly suites: readonly string[];
  readonly sslv2Kinds: readonly string[];
  readonly extensions: readonly number[];
  readonly needsInWords: readonly string[];
}

export function explain(accepted: Accepted): Explanation {
  const profiles = answersOf(accepted);
  return {
    hello: accepted.kind === 'client_hello' ? readHello(accepted.hello) : undefined,
    problem: problemOf(accepted),
    profiles,
    profile: profiles.find(({ serves }) => serves)?.profile,
  };
}

function readHello(hello: ClientHello): ReadHello {
  const { format, version, fingerprint, library, needs } = describeHello(hello, undefined);
  return {
    format,
    version,
    fingerprint,
    library,
    needs,
    serverName: serverNameOf(hello),
    suites: hello.cipherSuites.filter(isSuite).map(suiteName),
    sslv2Kinds: (hello.sslv2?.cipherSpecs ?? []).filter(isSslv2CipherKind).map(sslv2KindName),
    extensions: [...(hello.extensions?.keys() ?? [])],
    needsInWords: needs.map((need) => NEEDS[need]),
  };
}

function serverNameOf(hello: ClientHello): string | undefined {
  try {
    const { serverName } = decodeHelloExtensions(hello);
    return serverName === undefined ? undefined : sanitizePeerText(serverName);
  } catch (error) {
    // The answers of the profiles have the problem of the extension.
    if (error instanceof TlsError) return undefined;
    throw error;
  }
}

function problemOf(accepted: Accepted): string | undefined {
  switch (accepted.kind) {
    case 'client_hello':
      return undefined;
    case 'malformed':
      return `the hello cannot be read: ${accepted.error.message}`;
    case 'pure_sslv2':
      return 'a hello for SSL 2.0 only, which oldhello never accepts';
    default:
      return `not a ClientHello: ${accepted.kind}`;
  }
}
