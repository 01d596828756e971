/** Which certificate the engine shows by the name that a client asks for (RFC 6066, 3; RFC 6125, 6.4). */
import { test } from 'tap';
import {
  defaultCredentials,
  namedCredentials,
  type Credential,
  type ServerParameters,
} from '../../src/tls/index.js';
import { TestClient, vector16, type HelloOptions } from '../support/test-client.js';
import { ECDSA, RSA, TestServer } from '../support/test-server.js';

const rsa = (...serverNames: string[]): Credential => ({ ...RSA.credential, serverNames });
const ecdsa = (...serverNames: string[]): Credential => ({ ...ECDSA.credential, serverNames });
const modern = (credential: Credential): Credential => ({ ...credential, audience: 'modern' });
const legacy = (credential: Credential): Credential => ({ ...credential, audience: 'legacy' });

const serverName = (text: string) =>
  [0, vector16(Buffer.concat([Buffer.of(0), vector16(Buffer.from(text))]))] as const;
const GROUPS = [10, Buffer.from('0004001d0017', 'hex')] as const;
const SIGNATURES = [13, vector16(Buffer.from('04030401', 'hex'))] as const;

/** What the client is shown. @param name undefined for none */
function shown(
  parameters: Partial<ServerParameters>,
  name: string | undefined,
  options: HelloOptions = {},
): Credential | undefined {
  const server = new TestServer(parameters);
  const extensions = [GROUPS, SIGNATURES, ...(name === undefined ? [] : [serverName(name)])];
  const client = new TestClient({ version: 0x0303, suites: [0xc02b, 0xc02f], extensions, ...options });
  server.receive(client.hello());
  client.receive(server.take());
  server.receive(client.secondFlight());
  return server.established?.credential;
}

test('the name decides before the cipher suite', async (t) => {
  const [a, b] = [ecdsa('a.example'), rsa('b.example')];
  for (const credentials of [
    [a, b],
    [b, a],
  ]) {
    t.equal(shown({ credentials }, 'b.example'), b, 'though ECDSA is preferred');
    t.equal(shown({ credentials }, 'a.example'), a);
    t.equal(shown({ credentials }, undefined), credentials[0], 'without a name, the first');
    t.equal(shown({ credentials }, 'c.example'), credentials[0], 'another name is no error');
    t.equal(
      shown({ credentials, defaultServerName: 'b.example' }, undefined),
      b,
      'the default can be another',
    );
  }
  t.equal(shown({ credentials: [a, b] }, 'a.example', { suites: [0xc02f] }), b, 'better than none');
});

test('each name has its RSA, its ECDSA and its legacy certificate', async (t) => {
  const [a, aEcdsa, aOld] = [rsa('a.example'), ecdsa('x.example', 'a.example'), legacy(rsa('a.example'))];
  const [b, bEcdsa, bOld] = [rsa('b.example'), ecdsa('b.example'), legacy(rsa('b.example'))];
  const credentials = [a, b, aOld, bOld, bEcdsa, aEcdsa];
  const old: HelloOptions = { version: 0x0301, suites: [0x2f] };
  const sslv2: HelloOptions = { format: 'sslv2', version: 0x0301, suites: [0x2f] };
  for (const [name, one, oneEcdsa, oneOld] of [
    ['a.example', a, aEcdsa, aOld],
    ['b.example', b, bEcdsa, bOld],
  ] as const) {
    t.equal(shown({ credentials }, name), oneEcdsa);
    t.equal(shown({ credentials }, name, { suites: [0xc02f] }), one);
    t.equal(shown({ credentials }, name, old), oneOld);
    t.equal(shown({ credentials, defaultServerName: name }, undefined), oneEcdsa);
    t.equal(
      shown({ credentials, defaultServerName: name }, undefined, sslv2),
      oneOld,
      'an SSLv2-format hello',
    );
  }
  t.equal(
    shown({ credentials: [a, b, bOld] }, undefined, sslv2),
    bOld,
    'one for old clients, whatever its name',
  );
});

test('a modern client that asks for no name gets no certificate of another one, though it is meant for it', async (t) => {
  const [a, b] = [rsa('a.example'), modern(ecdsa('b.example'))];
  t.equal(shown({ credentials: [a, b] }, undefined), a);
  t.equal(shown({ credentials: [b, a], defaultServerName: 'a.example' }, 'c.example'), a);
  t.equal(shown({ credentials: [a, b] }, 'b.example'), b);
  t.equal(shown({ credentials: [a, b] }, undefined, { suites: [0xc02b] }), b, 'better than none');
  t.same(defaultCredentials([legacy(a), b]), [legacy(a), b], 'where none for all has the default name');
});

test('names are compared without case and without a dot at the end, and the name itself comes before a wildcard', async (t) => {
  const wild = rsa('*.example', '*.b.example');
  const exact = rsa('a.example');
  const named = (name: string): readonly Credential[] => namedCredentials([wild, exact], name);
  t.same(named('a.example'), [exact]);
  t.same(named('a.example.'), [exact]);
  t.same(named('c.example'), [wild]);
  t.same(named('c.b.example'), [wild]);
  for (const name of ['', '.', '.example', 'example', 'c.d.example', 'a.example..', '*', '192.0.2.1']) {
    t.same(named(name), [], JSON.stringify(name));
  }
  t.equal(shown({ credentials: [wild, exact] }, 'A.Example.'), exact);
  t.equal(shown({ credentials: [exact, wild] }, '*.B.EXAMPLE'), wild);
});

test('without names all certificates are the default', async (t) => {
  const credentials = [rsa(), ecdsa('b.example')];
  t.same(defaultCredentials(credentials), credentials);
  t.same(defaultCredentials([]), []);
});
