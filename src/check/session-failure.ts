/** Which check a failed session with a backend belongs to, and the advice for it. */
import type { BackendConfig } from '../config/schema.js';
import type { BackendFailure } from '../proxy/backend/backend-error.js';
import type { AdviceTopic } from './advice.js';
import type { CheckName } from './finding.js';

export function meaningOf(
  reason: BackendFailure,
  identity: BackendConfig['identity'],
): { check: CheckName; topic?: AdviceTopic } {
  switch (reason) {
    case 'backend_no_xclient':
    case 'backend_xclient_refused':
      return { check: 'identity', topic: 'xclient' };
    case 'backend_trusts_clients':
      return { check: 'trust', topic: 'trust' };
    case 'backend_no_starttls':
    case 'backend_starttls_refused':
    case 'backend_early_bytes':
    case 'backend_tls_failed':
      return { check: 'tls', topic: 'starttls' };
    case 'backend_tls_untrusted':
      return { check: 'tls' };
    case 'backend_ehlo_refused':
    case 'backend_reply_broken':
    case 'backend_closed':
    case 'backend_refused':
    case 'backend_changed':
    case 'backend_left':
      return { check: 'identity', topic: identityTopic(identity) };
    case 'backend_greeting_timeout':
      return { check: 'connection', topic: identityTopic(identity) };
    case 'backend_unreachable':
    case 'backend_no_descriptor':
    case 'backend_connect_timeout':
    case 'backend_reply_timeout':
    case 'backend_relay_risk':
      return { check: 'connection' };
  }
}

/** For a session that failed when the client's address was sent, or not sent. */
export function identityTopic(identity: BackendConfig['identity']): AdviceTopic {
  return identity === 'proxy-v1' || identity === 'proxy-v2' ? identity : 'no-header';
}
