/**
 * Explains why a connection failed and what to do about it, for an administrator who knows mail but not TLS. The log
 * and docs/troubleshooting.md share the sentences of the tables of outcomes and reasons.
 */
import {
  CIPHER_SUITE_BY_ID,
  ExtensionType,
  REFUSALS,
  versionName,
  type CipherFamily,
  type ClientHello,
  type Outcome as EngineOutcome,
  type RefusalReason,
  type ServerParameters,
} from '../tls/index.js';
import { REFUSAL_ADVICE } from './advice.js';
import { sentence, type Explained } from './explained.js';
import { numbers, offeredVersion } from './hello/hello-numbers.js';
import { offerInWords } from './hello/offer.js';
import { onlyUnserved } from './hello/unserved-suites.js';
import { OUTCOMES, type Outcome } from './outcomes.js';

export interface FailedHandshake {
  readonly reason: RefusalReason;
  /** What was found, in a few words. */
  readonly detail?: string | undefined;
  readonly hello: ClientHello | undefined;
  readonly parameters: Pick<ServerParameters, 'minVersion' | 'maxVersion' | 'cipherSuites' | 'credentials'>;
}

/** Explains an outcome by its reason alone. @returns undefined where nothing went wrong */
export function explainOutcome(outcome: Outcome, reason: string | undefined): string | undefined {
  const { meaning, remedy: advice } = OUTCOMES[outcome];
  if (advice === undefined) return undefined;
  return sentence({ meaning: reason === undefined ? meaning : `${meaning} (${reason})`, remedy: advice });
}

/** Explains a handshake that the engine refused: what the client offered, and what was missing. */
export function explainFailure({ reason, detail, hello, parameters }: FailedHandshake): string {
  const specific = hello === undefined ? undefined : missing(reason, hello, parameters);
  const row = { meaning: REFUSALS[reason].meaning, remedy: REFUSAL_ADVICE[reason] };
  const { meaning, remedy } = { ...row, ...specific };
  return sentence({ meaning: detail === undefined ? meaning : `${meaning} (${detail})`, remedy });
}

/** A more exact meaning from the hello itself; without a remedy in it, the remedy of the reason applies. */
function missing(
  reason: RefusalReason,
  hello: ClientHello,
  parameters: FailedHandshake['parameters'],
): Partial<Explained> | undefined {
  const { minVersion, maxVersion } = parameters;
  const atMost = versionName(offeredVersion(hello));
  switch (reason) {
    case 'no_shared_version':
      return {
        meaning:
          `the client offers at most ${atMost}, ` +
          `and this listener allows ${versionName(minVersion)} to ${versionName(maxVersion)}`,
      };
    case 'sslv2_hello_not_allowed':
      return { meaning: `${REFUSALS[reason].meaning}; it offers up to ${atMost}` };
    case 'no_shared_cipher_suite':
      return missingSuite(hello, parameters);
    case 'no_shared_signature_algorithm':
      return {
        meaning: `the client accepts only the signature algorithms ${schemesInWords(hello)}, and none of them works with ${keysOf(parameters)} certificates`,
      };
    default:
      return undefined;
  }
}

function missingSuite(hello: ClientHello, parameters: FailedHandshake['parameters']): Partial<Explained> {
  const unserved = onlyUnserved(hello);
  if (unserved !== undefined) {
    return {
      meaning: `the client offers only ${unserved.names} (${offerInWords(hello)}), which oldhello never accepts: ${unserved.reasons}`,
      remedy: 'enable other cipher suites in the client, or update it; no setting of oldhello helps',
    };
  }
  const meaning = `the client offers only ${offerInWords(hello)}; none of them is allowed here with ${keysOf(parameters)} certificates`;
  const switches = switchesFor(hello, parameters);
  if (switches.length === 0) return { meaning };
  return { meaning, remedy: `set ${switches.join(', ')} in [tls], or in a [[policy]] for its network` };
}

/** The settings that would allow what the hello offers; none where the suites are allowed and the certificate is missing. */
function switchesFor(
  { cipherSuites }: ClientHello,
  { cipherSuites: allowed }: FailedHandshake['parameters'],
): string[] {
  const offered = cipherSuites.map((id) => CIPHER_SUITE_BY_ID.get(id)).filter((suite) => suite !== undefined);
  if (offered.some(({ id }) => allowed.some((suite) => suite.id === id))) return [];
  const families = new Set(offered.map(({ family }) => family));
  return [...families].map((family) => SWITCHES[family]).filter((key) => key !== undefined);
}

function keysOf({ credentials }: FailedHandshake['parameters']): string {
  return [...new Set(credentials.map(({ authentication }) => authentication.toUpperCase()))].join(' and ');
}

function schemesInWords({ extensions }: ClientHello): string {
  const schemes = numbers(extensions?.get(ExtensionType.signature_algorithms), 2, 2);
  const shown = schemes.slice(0, MAX_SCHEMES).map((scheme) => `0x${scheme.toString(16).padStart(4, '0')}`);
  return shown.join(', ') + (schemes.length > MAX_SCHEMES ? ` and ${schemes.length - MAX_SCHEMES} more` : '');
}

/** Explains an alert between a client and the backend's own TLS. */
export function explainAlertOf(
  outcome: 'alert_from_backend' | 'alert_from_client',
  alert: string,
  hello: ClientHello | undefined,
): string {
  const { meaning, remedy } = OUTCOMES[outcome];
  const offer =
    hello && `; the client offers at most ${versionName(offeredVersion(hello))} with ${offerInWords(hello)}`;
  return sentence({ meaning: `${meaning} (${alert})${offer ?? ''}`, remedy });
}

/** Explains first bytes that are not TLS. */
export function explainNotTls(firstBytes: NotTls): string {
  return sentence(NOT_TLS[firstBytes]);
}

/** @param message of OpenSSL */
export function explainNativeFailure(message: string): string {
  return sentence({
    meaning: `${OUTCOMES.native_tls_failed.meaning}: ${message.trim()}`,
    remedy: OUTCOMES.native_tls_failed.remedy,
  });
}

export type NotTls = Extract<EngineOutcome, { kind: 'not_tls' }>['firstBytes'];

export const NOT_TLS: Readonly<Record<NotTls, Explained>> = {
  plaintext: {
    meaning: 'the client sent plain text instead of TLS',
    remedy: 'in the client, set SSL/TLS for port 465, STARTTLS for ports 25 and 587',
  },
  pure_sslv2: {
    meaning: 'the client supports only SSL 2.0, which oldhello never accepts',
    remedy: 'switch SSLv3 or TLS 1.0 on in the client, or update it',
  },
  sslv2_padded_header: {
    meaning: 'the first bytes are a three-byte header of SSL 2.0, which no ClientHello may have',
    remedy: 'find out what the client is; no mail program is known to do this',
  },
  garbage: {
    meaning: 'the client sent something that is neither TLS nor SMTP',
    remedy: 'find out what the client is; most likely a scanner',
  },
};

/** The setting that allows a cipher family, where there is one. */
const SWITCHES: Partial<Record<CipherFamily, string>> = {
  rc4: 'rc4 = true',
  '3des': 'triple-des = true',
  des: 'single-des = true',
};
/** Keeps the sentence short. */
const MAX_SCHEMES = 12;
