/** Limits and policies, seen from outside: who is turned away, what it hears, what is logged, and that others go on. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'tap';
import { startProgram, type Program } from '../support/program.js';
import { BOTH_MODES, proxyConfig, type ProxyConfig } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';

/** Two listeners behind a load balancer on 127.0.0.1, so that a test can be any client it likes. */
async function startProxy(config: ProxyConfig): Promise<Program> {
  const sink = await startTestSink();
  const listeners = BOTH_MODES.map((listener) => ({ ...listener, 'proxy-protocol': ['127.0.0.1'] }));
  const program = await startProgram(
    proxyConfig({ ...config, listeners, backend: { address: sink.port } }),
    listeners.length,
  );
  const stop = async (): Promise<number | null> => {
    const code = await program.stop();
    sink.close();
    return code;
  };
  return { ...program, stop };
}

interface Client {
  readonly socket: Socket;
  /** Sends, and returns what comes until it matches. */
  say(bytes: string | Buffer, until: RegExp): Promise<string>;
  /** Everything that still comes until the other side closes. */
  rest(): Promise<string>;
  leave(): void;
}

/** A client with this address, as the load balancer says. */
function client(program: Program, mode: 'starttls' | 'implicit', address: string): Client {
  const family = address.includes(':') ? 'TCP6' : 'TCP4';
  const here = address.includes(':') ? '2001:db8::25' : '192.0.2.25';
  const socket = connect({ port: program.ports.get(mode)!, host: '127.0.0.1' });
  socket.write(`PROXY ${family} ${address} ${here} 40000 25\r\n`);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  const ended = once(socket, 'close');
  return {
    socket,
    async say(bytes, until) {
      text = '';
      socket.write(bytes);
      while (!until.test(text)) await once(socket, 'data');
      return text;
    },
    async rest() {
      await ended;
      return text;
    },
    leave: () => socket.destroy(),
  };
}

const greeted = (one: Client): Promise<string> => one.say('', /^220 .*\r\n/m);

/** Has to be read as one of at most so many connections, without saying anything that would end it. */
const EHLO = 'EHLO client.example\r\n';
const STARTTLS = 'STARTTLS\r\n';
/** SSLv2-format: TLS 1.0, AES128-SHA, a challenge of 16 bytes (RFC 5246, E.2). */
const HELLO = Buffer.from('801c01030100030000001000002f0102030405060708090a0b0c0d0e0f10', 'hex');
const TOO_MANY = '421 4.7.0 proxy.example too many connections, try again later\r\n';
const NOT_NOW = '421 4.7.0 proxy.example too many TLS handshakes, try again later\r\n';

test('one address, or one /64 of IPv6, has a limit of connections; where TLS comes first they are just closed', async (t) => {
  const program = await startProxy({ limits: { 'max-connections-per-address': 2 } });
  t.teardown(() => program.stop());
  const inside = [
    client(program, 'starttls', '2001:db8:0:1::1'),
    client(program, 'starttls', '2001:db8:0:1:ffff::2'),
  ];
  await Promise.all(inside.map(greeted));

  t.equal(await client(program, 'starttls', '2001:db8:0:1::3').rest(), TOO_MANY);
  t.match(await program.nextConnection(), {
    outcome: 'limit_exceeded',
    reason: 'max-connections-per-address',
    fault: 'proxy',
    client: { address: '2001:db8:0:1::3' },
    explanation: /too many connections from this IPv4 address, or \/64 of IPv6.*max-connections-per-address/,
  });
  t.equal(await client(program, 'implicit', '2001:db8:0:1::3').rest(), '');
  t.match(await program.nextConnection(), { outcome: 'limit_exceeded', listener: 'implicit' });

  const neighbour = client(program, 'starttls', '2001:db8:0:2::1');
  t.match(await greeted(neighbour), /^220 /, 'another network is served');
  neighbour.leave();
  inside[0]!.leave();
  await program.nextConnection();
  await program.nextConnection();
  const next = client(program, 'starttls', '2001:db8:0:1::3');
  t.match(await greeted(next), /^220 /, 'and so is the next one when one has left');
  for (const one of [next, inside[1]!]) one.leave();
});

test('all clients together have a limit of connections, and those of a policy entry have theirs', async (t) => {
  const program = await startProxy({
    limits: { 'max-connections': 3 },
    policies: [{ networks: ['192.0.2.0/24', '198.51.100.7'], 'max-connections': 2 }],
  });
  t.teardown(() => program.stop());
  const inside = [client(program, 'starttls', '192.0.2.1'), client(program, 'starttls', '198.51.100.7')];
  await Promise.all(inside.map(greeted));
  t.equal(await client(program, 'starttls', '192.0.2.2').rest(), TOO_MANY);
  t.match(await program.nextConnection(), { outcome: 'limit_exceeded', reason: 'policy-max-connections' });
  const other = client(program, 'starttls', '203.0.113.1');
  t.match(await greeted(other), /^220 /);
  t.equal(await client(program, 'starttls', '203.0.113.2').rest(), TOO_MANY);
  t.match(await program.nextConnection(), { outcome: 'limit_exceeded', reason: 'max-connections' });
  for (const one of [...inside, other]) one.leave();
});

test('the first policy entry that has the client decides whether it may come, and whether it may ask for TLS', async (t) => {
  const program = await startProxy({
    policies: [
      { networks: ['192.0.2.66'], refuse: true },
      { networks: ['192.0.2.0/24'], 'offer-starttls': false },
      { networks: ['192.0.2.0/24', '2001:db8::/32'], refuse: true },
      { networks: ['198.51.100.0/24'], 'sslv2-hello': false },
      { profile: 'intermediate' },
    ],
  });
  t.teardown(() => program.stop());
  const refused = '554 5.7.1 proxy.example access denied\r\n';
  t.equal(await client(program, 'starttls', '192.0.2.66').rest(), refused);
  t.match(await program.nextConnection(), { outcome: 'policy_refused' });
  t.equal(await client(program, 'starttls', '2001:db8::1').rest(), refused);
  t.match(await program.nextConnection(), { outcome: 'policy_refused' });
  t.equal(await client(program, 'implicit', '2001:db8::1').rest(), '');
  t.match(await program.nextConnection(), { outcome: 'policy_refused' });

  const plain = client(program, 'starttls', '192.0.2.7');
  await greeted(plain);
  t.notMatch(await plain.say(EHLO, /^250 .*\r\n/m), /STARTTLS/);
  t.match(await plain.say(STARTTLS, /\n/), /^502 /);
  plain.leave();
  await program.nextConnection();

  await client(program, 'implicit', '198.51.100.1').say(HELLO, /./s);
  t.match(await program.nextConnection(), {
    outcome: 'handshake_refused',
    reason: 'sslv2_hello_not_allowed',
  });
  await client(program, 'implicit', '203.0.113.1').say(HELLO, /./s);
  t.match(
    await program.nextConnection(),
    { outcome: 'handshake_refused' },
    'the entry for everybody is last',
  );
});

test('when too many handshakes run, STARTTLS is answered with 421, and others wait for nobody', async (t) => {
  const program = await startProxy({ limits: { 'max-handshakes': 1 } });
  t.teardown(() => program.stop());
  const slow = client(program, 'starttls', '192.0.2.1');
  await greeted(slow);
  t.match(await slow.say(STARTTLS, /\n/), /^220 /);

  const second = client(program, 'starttls', '192.0.2.2');
  await greeted(second);
  t.equal(await second.say(STARTTLS, /\n/), NOT_NOW);
  await second.rest();
  t.match(await program.nextConnection(), {
    outcome: 'limit_exceeded',
    reason: 'max-handshakes',
    fault: 'proxy',
  });
  t.equal(await client(program, 'implicit', '192.0.2.2').rest(), '');
  t.match(await program.nextConnection(), { outcome: 'limit_exceeded', reason: 'max-handshakes' });

  slow.leave();
  t.match(await program.nextConnection(), { outcome: 'client_gone' });
  const third = client(program, 'starttls', '192.0.2.3');
  await greeted(third);
  t.match(await third.say(STARTTLS, /\n/), /^220 /, 'a handshake that is given up makes room');
  third.leave();
});

test('handshakes that come too fast are turned away, by address before in total', async (t) => {
  // Far below what a test can do in a second: what is let through is the burst, ten times as many.
  const program = await startProxy({
    limits: { 'handshakes-per-second-per-address': 1, 'handshakes-per-second': 2 },
  });
  t.teardown(() => program.stop());
  const attempt = async (address: string): Promise<string | undefined> => {
    const one = client(program, 'implicit', address);
    one.socket.end(Buffer.from('not TLS'));
    await one.rest();
    const { outcome, reason } = await program.nextConnection();
    return outcome === 'limit_exceeded' ? reason : undefined;
  };
  const until = async (address: string): Promise<string> => {
    for (let tries = 0; tries < 100; tries += 1) {
      const reason = await attempt(address);
      if (reason !== undefined) return reason;
    }
    return 'nothing';
  };
  t.equal(await until('192.0.2.1'), 'handshakes-per-second-per-address');
  t.equal(await attempt('192.0.2.2'), undefined, 'other addresses go on');
  await until('192.0.2.2');
  t.equal(await until('192.0.2.3'), 'handshakes-per-second', 'until there are too many of them');
  const polite = client(program, 'starttls', '192.0.2.1');
  await greeted(polite);
  t.match(await polite.say(EHLO, /^250 .*\r\n/m), /STARTTLS/, 'who wants no handshake is served');
  polite.leave();
});
