/** The settings of a connection, and those of each of its backend sessions. Pure. */
import { passesTlsOn } from '../../config/passthrough.js';
import type { LimitsConfig, ListenerConfig } from '../../config/schema.js';
import type { CertificateInfo } from '../../credentials/certificate-info.js';
import type { Endpoint } from '../../net/endpoint.js';
import type { ConnectionRecord, TlsInfo } from '../../observe/connection-record.js';
import type { Log } from '../../observe/log.js';
import type { HandshakeLimiter } from '../../policy/handshake-limiter.js';
import { isWeakTls } from '../../policy/weak-tls.js';
import type { GateOptions } from '../../smtp/gate-options.js';
import type { ClientIdentity } from '../backend/dial.js';
import type { BackendPlan } from '../backend/open-session.js';
import type { EngineServices } from '../termination/engine-channel.js';
import type { TlsProfile } from '../termination/tls-acceptor.js';

export interface ConnectionPlan {
  readonly listener: ListenerConfig;
  readonly backend: BackendPlan;
  readonly limits: LimitsConfig;
  readonly hostname: string;
  readonly tls: TlsProfile;
  readonly offerStarttls: boolean;
  readonly client: Endpoint;
  readonly destination: Endpoint;
  readonly log: Log;
}

export interface ConnectionServices extends EngineServices {
  readonly handshakes: HandshakeLimiter;
}

export interface SessionPlan {
  /** When TLS to the backend begins. */
  readonly security: 'none' | 'implicit' | 'starttls';
  /** Undefined if bytes are relayed unparsed: another protocol than SMTP, or the backend's own TLS. */
  readonly gate: GateOptions | undefined;
}

/** The session in which a client may ask for STARTTLS. */
export function plaintextSession({
  listener,
  backend,
  hostname,
  offerStarttls,
}: ConnectionPlan): SessionPlan {
  const { tls } = backend.config;
  const starttls = !offerStarttls ? 'hide' : tls === 'bridge' ? 'pass' : 'offer';
  const auth = listener.auth === 'always' ? 'offer' : 'withhold';
  return {
    security: tls === 'implicit' ? 'implicit' : 'none',
    gate: { hostname, starttls, greeting: 'relay', auth, bareLf: listener.bareLf },
  };
}

/** The session of a client whose TLS ends here. After STARTTLS it already has a greeting (RFC 3207, 4.2). */
export function encryptedSession(plan: ConnectionPlan, tls: TlsInfo): SessionPlan {
  const security = plan.backend.config.tls;
  const { mode } = plan.listener;
  const greeting = mode === 'implicit' ? 'relay' : 'swallow';
  return {
    security: passesTlsOn(security) ? 'implicit' : security,
    gate: mode === 'tcp' ? undefined : encryptedGate(plan, greeting, tls),
  };
}

/** For the session that the client began in clear, once both sides of it have TLS. */
export function bridgedGate(plan: ConnectionPlan, tls: TlsInfo): GateOptions {
  return encryptedGate(plan, 'none', tls);
}

function encryptedGate(
  { hostname, listener }: ConnectionPlan,
  greeting: GateOptions['greeting'],
  tls: TlsInfo,
): GateOptions {
  const auth = listener.auth === 'strong-tls' && isWeakTls(tls) ? 'withhold' : 'offer';
  return { hostname, starttls: 'active', greeting, auth, bareLf: listener.bareLf };
}

/** @param shown the certificate that the client got, if any */
export function clientIdentity(
  { client, destination }: ConnectionPlan,
  { id, tls, helloFormat }: ConnectionRecord,
  shown: CertificateInfo | undefined,
): ClientIdentity {
  const identity = { connection: id, source: client, destination };
  if (tls === undefined || helloFormat === undefined) return identity;
  const { version, suite: cipher, serverName } = tls;
  const { signatureAlgorithm, keyAlgorithm } = shown ?? {};
  return { ...identity, tls: { version, cipher, serverName, helloFormat, signatureAlgorithm, keyAlgorithm } };
}
