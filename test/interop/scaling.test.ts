/**
 * docs/scaling.md at work: HAProxy with the page's own lines in front of two nodes that share ticket keys and a Redis,
 * and Postfix behind them. Sessions resume on the other node, and neither a dead node nor a dead Redis loses a message.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { selfSignedCredential } from '../../src/credentials/credentials.js';
import { visit, type ResumesBy, type Visit, type VisitOptions } from '../support/old-visit.js';
import { haProxyLack, runHaProxy } from '../support/peers/haproxy.js';
import { postfixLack, startPostfix, type Mta } from '../support/peers/postfix.js';
import { redisLack, startRedis, type Redis } from '../support/peers/redis.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { Closed, SmtpClient } from '../support/smtp-client.js';
import { logged } from '../support/logged.js';

const NODES = ['mx1', 'mx2'] as const;
type NodeName = (typeof NODES)[number];

interface Site {
  /** Of HAProxy. */
  readonly port: number;
  readonly nodes: Readonly<Record<NodeName, Program>>;
  readonly redis: Redis;
  readonly postfix: Mta;
}

async function startSite(t: Test): Promise<Site> {
  const postfix = await startPostfix();
  t.teardown(() => postfix.stop());
  const redis = await startRedis();
  t.teardown(() => redis.kill());
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-scaling-'));
  selfSignedCredential(folder, 'mx.example');
  writeFileSync(join(folder, 'ticket.keys'), `${randomBytes(48).toString('base64')}\n`, { mode: 0o600 });
  const start = async (hostname: NodeName): Promise<Program> => {
    const program = await startProgram(
      proxyConfig({
        server: { hostname },
        listeners: [{ 'proxy-protocol': ['127.0.0.0/8'] }],
        backend: { address: postfix.port },
        certificates: [{ chain: `${folder}/self-signed.crt`, key: `${folder}/self-signed.key` }],
        tls: { profile: 'ancient', 'ticket-key-file': `${folder}/ticket.keys` },
        sessionStore: { url: `redis://127.0.0.1:${redis.port}` },
      }),
      1,
    );
    t.teardown(() => program.stop());
    await program.next('session_store_up');
    return program;
  };
  const nodes = { mx1: await start('mx1'), mx2: await start('mx2') };
  const haproxy = await runHaProxy((port) => {
    return haproxyLines()
      .replace('bind :25', `bind 127.0.0.1:${port}`)
      .replace('192.0.2.11:25', `127.0.0.1:${nodes.mx1.ports.get('mx')!}`)
      .replace('192.0.2.12:25', `127.0.0.1:${nodes.mx2.ports.get('mx')!}`);
  });
  t.teardown(() => haproxy.stop());
  return { port: haproxy.port, nodes, redis, postfix };
}

function haproxyLines(): string {
  const page = readFileSync(new URL('../../docs/scaling.md', import.meta.url), 'utf8');
  return /^```haproxy\n(.*?)^```$/ms.exec(page)![1]!;
}

/** Visits until this node answers; they take turns. */
async function visitOn(port: number, node: string, by: ResumesBy, options: VisitOptions): Promise<Visit> {
  for (let turn = 0; turn < 4; turn += 1) {
    const made = await visit(port, by, options);
    if (made.node === node) return made;
  }
  throw new Error(`${node} does not answer`);
}

/** A client in the middle of its message on this node. */
async function inTheMiddle(port: number, node: NodeName, from: string): Promise<SmtpClient> {
  for (;;) {
    const client = await SmtpClient.connect(port, from);
    await client.reply();
    await client.command('EHLO old.example');
    if ((await client.command('STARTTLS')).includes(` ${node} `)) {
      await client.secureLikeOld({ version: 0x0300, suites: [0x05, 0x0a] });
      for (const line of ['EHLO old.example', 'MAIL FROM:<a@old.example>', 'RCPT TO:<b@new.example>', 'DATA'])
        await client.command(line);
      client.write('Subject: cut\r\n\r\nhalf of it');
      return client;
    }
    client.destroy();
  }
}

const LACKS = { haproxy: haProxyLack, redis: redisLack, postfix: postfixLack };
const hasPeers = (t: Test): boolean =>
  Object.entries(LACKS).every(([name, lack]) => hasPeer(t, name, lack()));

test('sessions resume on the other node, and mail survives a node and the store', async (t) => {
  if (!hasPeers(t)) return;
  const { port, nodes, redis, postfix } = await startSite(t);
  for (const [by, from] of [
    ['ticket', '127.0.0.61'],
    ['session id', '127.0.0.62'],
  ] as const) {
    const first = await visit(port, by, { from });
    t.match(first.reply, /^250 /);
    const other = NODES.find((node) => node !== first.node)!;
    const next = await visitOn(port, other, by, { from, earlier: first });
    t.ok(next.resumed, `by ${by}, made on ${first.node}, resumed on ${next.node}`);
    t.match(next.reply, /^250 /);
    t.match(
      await logged(postfix, `client=unknown[${from}]`),
      `client=unknown[${from}]`,
      'Postfix knows the client itself',
    );
  }

  const cut = await inTheMiddle(port, 'mx1', '127.0.0.63');
  const before = await visitOn(port, 'mx1', 'session id', { from: '127.0.0.64' });
  nodes.mx1.signal('SIGKILL');
  await nodes.mx1.exited;
  const heard = await cut.reply().catch((error: unknown) => error);
  t.ok(heard instanceof Closed, 'no 250 for half a message, so its sender sends it again');
  for (let times = 0; times < 4; times += 1) {
    const after = await visit(port, 'session id', {
      earlier: before,
      from: '127.0.0.64',
      subject: `after-${times}`,
    });
    t.equal(after.node, 'mx2');
    t.ok(after.resumed, 'also the sessions of the dead node');
    t.match(after.reply, /^250 /);
  }

  await redis.kill();
  await nodes.mx2.next('session_store_down');
  for (let times = 0; times < 2; times += 1) {
    const full = await visit(port, 'session id', {
      earlier: before,
      from: '127.0.0.65',
      subject: `without-${times}`,
    });
    t.notOk(full.resumed);
    t.match(full.reply, /^250 /);
  }
  t.equal(nodes.mx2.log.filter(({ event }) => event === 'session_store_down').length, 1);

  const subjects: string[] = [];
  while (!subjects.includes('without-1')) {
    subjects.push(/^Subject: (.*?)\r?$/m.exec(await postfix.nextMessage())![1]!);
  }
  const later = ['after-0', 'after-1', 'after-2', 'after-3', 'without-0', 'without-1'];
  t.same(
    subjects.filter((subject) => subject !== 'x').sort(),
    later,
    'each acknowledged message is there once',
  );
});

/** One visit of OpenSSL's client: whether its session was resumed. */
function openssl(port: number, local: string, session: string, more: readonly string[]): boolean {
  const peer = ['-connect', `127.0.0.1:${port}`, '-bind', local, '-starttls', 'smtp'];
  const hello = ['-tls1', '-cipher', 'AES128-SHA:@SECLEVEL=0', ...more];
  const kept = existsSync(session) ? ['-sess_in', session] : ['-sess_out', session];
  const { stdout } = spawnSync('openssl', ['s_client', '-crlf', ...peer, ...hello, ...kept], {
    input: 'QUIT\n',
    encoding: 'utf8',
  });
  return /^(New|Reused), /m.exec(stdout)![1] === 'Reused';
}

test("OpenSSL's client, whose session is made on one node, resumes it on both", async (t) => {
  if (!hasPeers(t)) return;
  const { port, nodes } = await startSite(t);
  for (const [by, address, more] of [
    ['ticket', '127.0.0.66', []],
    ['session id', '127.0.0.67', ['-no_ticket']],
  ] as const) {
    const session = join(t.testdir(), 'session.pem');
    const visits = [];
    for (let times = 0; times < 4; times += 1) {
      const resumed = openssl(port, `${address}:0`, session, more);
      visits.push({ resumed, ...(await nextOf(nodes, address, times)) });
    }
    t.same(new Set(visits.map(({ node }) => node)), new Set(NODES), 'both nodes had a turn');
    const resumed = visits.map((one) => one.resumed);
    t.same(resumed, [false, true, true, true], `by ${by}`);
    t.same(
      visits.map((one) => one.logged),
      resumed,
      'as the log says',
    );
  }
});

/** How the session of this client that ended as number `index` was, and where. */
async function nextOf(
  nodes: Site['nodes'],
  address: string,
  index: number,
): Promise<{ node: NodeName; logged: boolean }> {
  for (;;) {
    const ended = NODES.flatMap((node) =>
      nodes[node].log
        .filter(
          ({ event, client }) =>
            event === 'connection_closed' && (client as { address: string }).address === address,
        )
        .map((line) => ({ node, time: String(line['time']), tls: line['tls'] as { resumed: boolean } })),
    ).sort((a, b) => a.time.localeCompare(b.time));
    const session = ended[index];
    if (session !== undefined) return { node: session.node, logged: session.tls.resumed };
    await Promise.race(NODES.map((node) => once(nodes[node].lines, 'line')));
  }
}
