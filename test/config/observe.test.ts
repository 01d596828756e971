/** `tls = "observe"` changes nothing, so whatever asks for a change beside it is refused. */
import { test } from 'tap';
import { ConfigError, parseConfig } from '../../src/config/load.js';
import { checkCertificates } from '../../src/check/certificates.js';
import { deliveryPathsTo } from '../../src/check/delivery-paths.js';
import { proxyConfig, type Table } from '../support/proxy-config.js';

const observing = (backend: Table, listener: Table = {}): string =>
  proxyConfig({ backend: { tls: 'observe', ...backend }, listeners: [listener] });

function problem(backend: Table, listener: Table = {}): string {
  try {
    parseConfig(observing(backend, listener), 'oldhello.toml');
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

test('what would be a change for clients is refused with the key', async (t) => {
  t.equal(problem({}), '');
  t.match(problem({ modern: 'terminate' }), /backend\[0\]\.modern: "terminate" cannot be kept/);
  t.match(problem({ modern: 'engine' }), /"engine" cannot be kept/);
  t.match(problem({}, { auth: 'strong-tls' }), /listener\[0\]\.auth: "strong-tls" cannot be kept/);
  t.match(problem({}, { 'bare-lf': 'reject' }), /listener\[0\]\.bare-lf: "reject" cannot be kept/);
  t.match(problem({ 'tls-name': 'mx.example.com' }), /tls-name: has no effect with tls = "observe"/);
});

test('the backend must learn who the client is without a word of SMTP', async (t) => {
  t.match(problem({ identity: 'xclient' }), /"xclient" cannot be sent with tls = "observe"/);
  const none = { identity: 'none', 'acknowledge-relay-risk': true };
  t.equal(problem(none), '');
  t.match(problem(none, { mode: 'implicit' }), /from the first byte; use "proxy-v2" or "proxy-v1"$/);
});

test('without a word of SMTP nobody checks what the backend trusts, so that must be acknowledged', async (t) => {
  const none = { identity: 'none', address: '203.0.113.5:25' };
  t.match(problem(none), /backend\[0\]\.identity: .*accepts XCLIENT .* every client of listener "mx"/);
  t.equal(problem({ ...none, 'acknowledge-relay-risk': true }), '');
  t.equal(problem(none, { mode: 'tcp' }), '', 'no SMTP, no XCLIENT');
});

test('check asks for no certificate, and tries the session in clear and TLS from the first byte', async (t) => {
  for (const mode of ['starttls', 'implicit']) {
    const config = parseConfig(observing({}, { mode }), 'oldhello.toml');
    t.same(checkCertificates(config, new Date()), []);
    t.match(deliveryPathsTo(config.backends[0]!, config), [
      { security: mode === 'starttls' ? 'none' : 'implicit', bridged: false },
    ]);
  }
});
