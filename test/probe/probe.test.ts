/** A probe of something that is no TLS server ends at once, and says what was seen and what to do instead. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { test, type Test } from 'tap';
import { makeSelfSigned } from '../../src/credentials/self-signed.js';
import { probe, type ProbeReport } from '../../src/probe/probe.js';
import type { ProbeTarget } from '../../src/probe/probe-connection.js';
import { lineOf, verdict } from '../../src/probe/verdict.js';

/** Short ones, for servers on this machine. */
const TIMEOUTS = { connectMs: 2_000, greetingMs: 300, answerMs: 300 };

interface Probed {
  readonly report: ProbeReport;
  readonly sentence: string;
  readonly connections: number;
}

/** @param serve what the server does with each connection; undefined for a port that nobody listens on */
async function probed(
  t: Test,
  mode: ProbeTarget['mode'],
  serve: ((socket: Socket) => void) | undefined,
): Promise<Probed> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined);
    serve?.(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (serve === undefined) server.close();
  else t.teardown(() => server.close());
  const report = await probe({ host: '127.0.0.1', port, mode }, TIMEOUTS);
  return { report, sentence: verdict(report).sentence, connections };
}

const greets =
  (greeting: string, ehlo = '250-mail.example\r\n250 SIZE\r\n', starttls = '') =>
  (socket: Socket): void => {
    socket.write(greeting);
    socket.on('data', (bytes) => {
      if (bytes.toString('latin1').startsWith('EHLO')) socket.write(ehlo);
      else if (bytes.toString('latin1').startsWith('STARTTLS')) socket.write(starttls);
    });
  };
const answers =
  (text: string) =>
  (socket: Socket): void => {
    socket.on('data', () => socket.end(text));
  };
const silent = (socket: Socket): void => void socket.resume();

const PLACES: Record<
  string,
  [
    mode: ProbeTarget['mode'],
    serve: ((socket: Socket) => void) | undefined,
    seen: RegExp,
    remedy: RegExp,
    connections: number,
  ]
> = {
  'a port that nobody listens on': [
    'starttls',
    undefined,
    /no program listens there \(ECONNREFUSED\)/,
    /check that the server runs/,
    0,
  ],
  'a port that sends nothing': ['starttls', silent, /no greeting within 0\.3 s/, /PROXY header/, 2],
  'a web server': [
    'starttls',
    answers('HTTP/1.1 400 Bad Request\r\n\r\n'),
    /answers with HTTP: "HTTP\/1\.1 400 Bad Request"/,
    /web server/,
    2,
  ],
  'a mail server that rejects this machine': [
    'starttls',
    greets('421 4.7.0 mail.example \u001b[31mNo\r\n'),
    /greets with "421 4\.7\.0 mail\.example .*No"/,
    /rejects this machine, or waits for a PROXY header/,
    1,
  ],
  'a mail server that closes at once': [
    'starttls',
    (socket) => socket.end(),
    /closes the connection before TLS/,
    /PROXY header/,
    1,
  ],
  'a mail server without STARTTLS': [
    'starttls',
    greets('220 mail.example ESMTP\r\n'),
    /does not offer STARTTLS/,
    /certificate/,
    1,
  ],
  'a mail server whose TLS is broken': [
    'starttls',
    greets('220 mail.example\r\n', '250-mail.example\r\n250 STARTTLS\r\n', '454 4.7.0 TLS not available\r\n'),
    /refused it: "454 4\.7\.0 TLS not available"/,
    /its certificate or key/,
    1,
  ],
  'an SSH server': [
    'starttls',
    greets('SSH-2.0-OpenSSH_9.2\r\n'),
    /not an SMTP reply/,
    /check that this is the SMTP port/,
    1,
  ],
  'a STARTTLS port, asked for TLS first': [
    'implicit',
    greets('220 mail.example\r\n'),
    /SMTP: "220 mail\.example"/,
    /remove --implicit/,
    1,
  ],
  'a web server, asked for TLS first': [
    'implicit',
    answers('HTTP/1.0 400 \r\n\r\n'),
    /answers with HTTP/,
    /web server/,
    1,
  ],
  'a port that closes, asked for TLS first': [
    'implicit',
    answers(''),
    /closes the connection after ClientHellos/,
    /this port has TLS/,
    2,
  ],
  'a silent port, asked for TLS first': [
    'implicit',
    silent,
    /is silent after ClientHellos/,
    /this port has TLS/,
    2,
  ],
  'a flood, asked for TLS first': [
    'implicit',
    (socket) => socket.write(Buffer.concat([Buffer.from([22, 3, 1, 64, 0]), Buffer.alloc(1 << 20)])),
    /not TLS/,
    /this port has TLS/,
    1,
  ],
};

for (const [what, [mode, serve, seen, remedy, connections]] of Object.entries(PLACES)) {
  test(`the probe of ${what} ends with what was seen and the next step`, async (t) => {
    const found = await probed(t, mode, serve);
    t.same(found.report.results, []);
    t.match(found.report.obstacle?.seen, seen);
    t.match(found.report.obstacle?.remedy, remedy);
    t.match(found.sentence, /^TLS was not reached: .*\. Next step: .*\.$/);
    t.notMatch(found.sentence, /oldhello/, 'which would not help');
    t.notMatch(found.sentence, /[\u0000-\u001f]/, 'and with no control character of the server');
    t.equal(found.connections, connections);
  });
}

test('a port where TLS comes first, probed for STARTTLS, is recognized', async (t) => {
  const { chainPem, keyPem } = makeSelfSigned('mail.example');
  const server = createTlsServer({ cert: chainPem, key: keyPem }, (socket) =>
    socket.on('error', () => undefined),
  );
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const report = await probe({ host: '127.0.0.1', port, mode: 'starttls' }, TIMEOUTS);
  t.match(report.obstacle, { reason: 'tls_first', remedy: /use --implicit/ });
  const implicit = await probe(
    { host: '127.0.0.1', port, mode: 'implicit' },
    { ...TIMEOUTS, answerMs: 5_000 },
  );
  t.equal(implicit.obstacle, undefined);
  t.match(verdict(implicit), { survives: false, sentence: /oldhello in front of it would serve them/ });
  const refused = implicit.results.find(({ outcome }) => outcome !== 'served');
  t.match(lineOf(refused!), /oldhello would serve them, with profile/);
});

test('a server that has enough of the prober half-way is not judged by what was not tried', async (t) => {
  let count = 0;
  const found = await probed(t, 'starttls', (socket) => {
    count += 1;
    if (count > 3) socket.end('421 4.7.0 too many connections\r\n');
    else {
      greets('220 a\r\n', '250-a\r\n250 STARTTLS\r\n', '220 go\r\n')(socket);
      socket.on('data', (bytes) => bytes[0] === 22 && socket.end(Buffer.from([21, 3, 1, 0, 2, 2, 70])));
    }
  });
  t.match(found.sentence, /^The probe ended after 3 connections: .*421 4\.7\.0 too many connections/);
});
