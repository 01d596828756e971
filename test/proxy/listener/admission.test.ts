/** What the end of a connection teaches about its client. */
import { test } from 'tap';
import { parseConfig } from '../../../src/config/load.js';
import type { Log } from '../../../src/observe/log.js';
import type { Outcome } from '../../../src/observe/outcomes.js';
import { ConnectionRecord } from '../../../src/observe/connection-record.js';
import { AdmissionControl } from '../../../src/proxy/listener/admission.js';

const { limits } = parseConfig(
  `[[listener]]
name = "mx"
address = "127.0.0.1:25"
mode = "starttls"
backend = "mta"
[[backend]]
name = "mta"
address = "192.0.2.1:25"
identity = "proxy-v2"
[limits]
hopeless-after = 1`,
  'oldhello.toml',
);

/** Whether one session that ended so, behind a hello and before TLS, makes its client hopeless. */
function makesHopeless(outcome: Outcome): boolean {
  let told = false;
  const desk = new AdmissionControl(((event: string) => {
    told ||= event === 'hopeless_client';
  }) as Log);
  const record = new ConnectionRecord('mx', { address: '192.0.2.7', port: 4000 });
  record.recordFailure({ outcome });
  const event = { ...record.event(), hello: HELLO };
  desk.remember(event, 'starttls', limits);
  return told;
}

const HELLO = {
  format: 'record',
  version: 'TLSv1.2',
  fingerprint: { ja3: '', ja4: '' },
} as unknown as NonNullable<ReturnType<ConnectionRecord['event']>['hello']>;

test('a handshake that fails makes its client hopeless, but not one that the backend or the proxy broke off', async (t) => {
  for (const outcome of ['handshake_refused', 'peer_alert', 'client_gone', 'not_tls'] as const) {
    t.equal(makesHopeless(outcome), true, outcome);
  }
  for (const outcome of ['backend_failed', 'backend_timeout', 'shutdown'] as const) {
    t.equal(makesHopeless(outcome), false, outcome);
  }
});
