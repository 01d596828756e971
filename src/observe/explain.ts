/** Why a handshake failed, in one sentence for somebody who knows mail and not TLS. */
import {
  REFUSALS,
  versionName,
  type ClientHello,
  type RefusalReason,
  type ServerParameters,
} from '../tls/index.js';
import { offeredVersion } from './hello-numbers.js';
import { offerInWords } from './offer.js';

export interface FailedHandshake {
  readonly reason: RefusalReason;
  readonly hello: ClientHello | undefined;
  readonly parameters: Pick<ServerParameters, 'minVersion' | 'maxVersion' | 'cipherSuites' | 'credentials'>;
}

export function explainFailure({ reason, hello, parameters }: FailedHandshake): string {
  const means = REFUSALS[reason].means;
  if (hello === undefined) return means;
  switch (reason) {
    case 'no_shared_version':
      return (
        `the client offers at most ${versionName(offeredVersion(hello))}, ` +
        `and this listener allows ${versionName(parameters.minVersion)} to ${versionName(parameters.maxVersion)}`
      );
    case 'no_shared_cipher_suite': {
      const keys = [
        ...new Set(parameters.credentials.map(({ authentication }) => authentication.toUpperCase())),
      ];
      return `the client offers only ${offerInWords(hello)}; allowed here is none of them with ${keys.join(' and ')} certificates`;
    }
    default:
      return means;
  }
}

/** What an alert from the client usually means, seen from the server. */
export function explainPeerAlert(alert: string): string {
  return PEER_ALERTS[alert] ?? `the client ended TLS with ${alert}`;
}

const distrust =
  'the client does not trust our certificate, or cannot read it: many old ones know neither its issuer nor SHA-256';

const PEER_ALERTS: Record<string, string> = {
  bad_certificate: distrust,
  unsupported_certificate: distrust,
  certificate_unknown: distrust,
  certificate_expired: 'the client takes our certificate for expired; its clock may be wrong',
  unknown_ca: distrust,
  handshake_failure:
    'the client could not go on with what was chosen; with DHE it may not know groups as long as ours',
  illegal_parameter:
    'the client could not go on with what was chosen; with DHE it may not know groups as long as ours',
  protocol_version: 'the client does not accept the protocol version that was chosen',
  insufficient_security: 'the client demands more security than what was chosen',
  internal_error: 'the client had trouble of its own',
  close_notify: 'the client ended the handshake in order, before it was complete',
};
