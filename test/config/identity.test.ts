/** What the configuration must say of who the client is, so that no backend takes strangers for friends. */
import { test } from 'tap';
import { ConfigError, parseConfig } from '../../src/config/load.js';

/** The problems of a configuration with one backend. */
function problems(backend: string, mode: 'starttls' | 'implicit' = 'starttls'): string {
  try {
    parseConfig(
      `[[listener]]
name = "clients"
address = "127.0.0.1:0"
mode = "${mode}"
backend = "mta"
[[backend]]
name = "mta"
${backend}
`,
      'oldhello.toml',
    );
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

test('xclient is refused where the TLS of clients goes through from the first byte', async (t) => {
  const bridge = 'address = "127.0.0.1:465"\nidentity = "xclient"\ntls = "bridge"\n';
  t.equal(
    problems(bridge, 'implicit'),
    'oldhello.toml:9: backend[0].identity: "xclient" cannot be sent for clients of listener "clients" whose TLS goes ' +
      'through to the backend from the first byte; use "proxy-v2" or "proxy-v1", or set modern = "terminate"',
  );
  t.match(problems(`${bridge}modern = "passthrough"`, 'implicit'), /cannot be sent/);
  t.equal(problems(`${bridge}modern = "terminate"`, 'implicit'), '');
  t.equal(problems(bridge, 'starttls'), '', 'with STARTTLS it can be sent in clear');
});

test('none is refused where a backend cannot be checked for accepting XCLIENT of clients', async (t) => {
  const bridge = 'address = "203.0.113.5:465"\nidentity = "none"\ntls = "bridge"\n';
  t.match(
    problems(bridge, 'implicit'),
    '"none" does not allow to check whether the backend accepts XCLIENT from clients of listener "clients"',
  );
  t.equal(problems(`${bridge}modern = "terminate"`, 'implicit'), '');
  t.equal(problems(bridge, 'starttls'), '', 'with STARTTLS it can be checked in clear');
});

test('none is refused for a backend on a private address, unless the risk is acknowledged', async (t) => {
  for (const host of ['127.0.0.1', '[::1]', '10.1.2.3', '192.168.0.9', '[fd00::1]', 'localhost']) {
    const backend = `address = "${host}:25"\nidentity = "none"\n`;
    t.match(problems(backend), /an open relay\. Use "proxy-v2", "proxy-v1" or "xclient"/, host);
    t.equal(problems(`${backend}acknowledge-relay-risk = true`), '', host);
  }
  t.equal(problems('address = "203.0.113.5:25"\nidentity = "none"'), '');
});
