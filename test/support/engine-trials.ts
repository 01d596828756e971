/** Everything that is tried with a peer of the engine, and what is found. */
import { test, type Test } from 'tap';
import {
  CIPHER_SUITES,
  decodeHelloExtensions,
  ExtensionType,
  isNamed,
  ProtocolVersion,
  TLS_EMPTY_RENEGOTIATION_INFO_SCSV,
  TLS_FALLBACK_SCSV,
  type CipherFamily,
  type ClientHello,
  type Established,
} from '../../src/tls/index.js';
import { startEngineEchoServer, type EngineConnection, type EngineEchoServer } from './engine-echo-server.js';
import { SCENARIOS, type Scenario } from './engine-scenarios.js';
import { checkFindings, type Findings } from './interop-findings.js';
import {
  allHandshakes,
  type EchoPeer,
  type Handshake,
  type Order,
  type RunningEchoPeer,
} from './peers/echo-peer.js';
import { hasPeer } from './peers/require-peer.js';

/** @param name of the file of findings */
export function tryWithEngine(name: string, peer: EchoPeer): void {
  test(`the engine and ${peer.title}`, { timeout: TIMEOUT_MS }, async (t) => {
    if (!hasPeer(t, peer.title, peer.lack)) return;
    const running = peer.start();
    t.teardown(() => running.close());
    const seen: EngineConnection[] = [];
    const done: Done[] = [];
    await t.test('every version, suite and form of hello', async (t) => {
      done.push(...(await tryHandshakes(t, peer, running, seen)));
    });
    await t.test('megabytes both ways, by every kind of cipher', (t) => tryBulk(t, peer, running, done));
    const scenarios: Record<string, true> = {};
    await t.test('keys, groups and special cases', async (t) => {
      for (const [title, scenario] of Object.entries(SCENARIOS)) {
        if (await tryScenario(t, title, scenario, peer, running, seen)) scenarios[title] = true;
      }
    });
    checkFindings(t, name, {
      peer: peer.title,
      ...summaryOf(done),
      ...extensionsOf(seen),
      scenarios,
      bulk: peer.bulk,
    });
  });
}

interface Done {
  readonly handshake: Handshake;
  readonly resumedById: boolean;
  readonly resumedByTicket: boolean;
}

async function tryHandshakes(
  t: Test,
  peer: EchoPeer,
  running: RunningEchoPeer,
  seen: EngineConnection[],
): Promise<Done[]> {
  // tlslite-ng always takes a ticket where one is given.
  const withoutTickets = await startEngineEchoServer({ parameters: { tickets: undefined } });
  const server = await startEngineEchoServer();
  const size = peer.usual;
  const done: Done[] = [];
  for (const handshake of allHandshakes(peer.formats)) {
    const byId = await attempt(withoutTickets, running, {
      handshake,
      tickets: false,
      exchanges: [
        { size, closer: 'client' },
        { size: 1, closer: 'server' },
      ],
    });
    seen.push(...byId.connections);
    if (!byId.offered) continue;
    const byTicket = await attempt(server, running, {
      handshake,
      tickets: true,
      exchanges: [
        { size: 1, closer: 'server' },
        { size, closer: 'client' },
      ],
    });
    seen.push(...byTicket.connections);
    const problem = byId.problem ?? byTicket.problem;
    t.equal(problem, undefined, `${handshake.format} ${handshake.version} ${handshake.suite.name}`);
    if (problem !== undefined) continue;
    const all = [...byId.connections, ...byTicket.connections];
    done.push({
      handshake,
      resumedById: all.some(isResumedById),
      resumedByTicket: all.some(isResumedByTicket),
    });
  }
  withoutTickets.close();
  server.close();
  return done;
}

async function tryBulk(
  t: Test,
  peer: EchoPeer,
  running: RunningEchoPeer,
  done: readonly Done[],
): Promise<void> {
  const server = await startEngineEchoServer();
  const exchange = { size: peer.bulk, closer: 'server' } as const;
  for (const family of FAMILIES) {
    const found = done.findLast(({ handshake: { suite } }) => suite.family === family);
    if (found === undefined) continue;
    const { handshake } = found;
    const { problem } = await attempt(server, running, { handshake, tickets: false, exchanges: [exchange] });
    t.equal(problem, undefined, `${handshake.version} ${handshake.suite.name}`);
  }
  server.close();
}

async function tryScenario(
  t: Test,
  title: string,
  { server: options, handshakes, switches = {}, asks = () => true, right, refusal }: Scenario,
  peer: EchoPeer,
  running: RunningEchoPeer,
  seen: EngineConnection[],
): Promise<boolean> {
  if (!Object.keys(switches).every((name) => peer.switches.some((able) => able === name))) return false;
  const server = await startEngineEchoServer(options);
  let tried = 0;
  let held = 0;
  for (const handshake of handshakes.filter(({ format }) => peer.formats.includes(format))) {
    const exchanges = [{ size: SCENARIO_SIZE, closer: 'server' }] as const;
    const one = await attempt(server, running, { handshake, tickets: true, exchanges, ...switches });
    seen.push(...one.connections);
    if (!one.offered || !asks(decodeHelloExtensions(one.connections[0]!.hello!))) continue;
    tried += 1;
    if (refusal === undefined) t.equal(one.problem, undefined, `${title}: ${handshake.version}`);
    if (t.ok(one.connections.every(right), `${title}: ${handshake.version}, ${handshake.format}`)) held += 1;
  }
  server.close();
  return tried > 0 && held === tried;
}

interface Attempt {
  readonly connections: readonly EngineConnection[];
  /** The client's first hello asked for this handshake: it must have been had. */
  readonly offered: boolean;
  readonly problem: string | undefined;
}

async function attempt(server: EngineEchoServer, running: RunningEchoPeer, order: Order): Promise<Attempt> {
  const complaint = await running.run(server, order);
  const connections = await server.takeConnections();
  const hello = connections[0]?.hello;
  const offered = hello !== undefined && isOffered(order.handshake, hello);
  const wrong = connections.find((connection) => !isAsOrdered(order.handshake, connection));
  const sides = [
    complaint ?? 'the client is content',
    wrong && `the server: ${wrong.end}, ${wrong.bytes} bytes`,
  ];
  const problem = complaint === undefined && wrong === undefined ? undefined : sides.join('; ');
  return { connections, offered, problem: connections.length === 0 ? 'no connection' : problem };
}

function isOffered({ suite, version, format }: Handshake, hello: ClientHello): boolean {
  return (
    hello.format === format &&
    hello.clientVersion >= ProtocolVersion[version] &&
    hello.cipherSuites.includes(suite.id)
  );
}

function isAsOrdered(
  { suite, version }: Handshake,
  { exchange, established, end, bytes }: EngineConnection,
): boolean {
  return (
    exchange !== undefined &&
    established?.version === ProtocolVersion[version] &&
    established.suite.id === suite.id &&
    bytes === exchange.size &&
    end === `closed by ${exchange.closer}`
  );
}

function isResumedByTicket({ hello, established }: EngineConnection): boolean {
  const ticket = hello?.extensions?.get(ExtensionType.session_ticket);
  return established?.resumed === true && ticket !== undefined && ticket.length > 0;
}

function isResumedById(connection: EngineConnection): boolean {
  return connection.established?.resumed === true && !isResumedByTicket(connection);
}

// ---- what it comes to ----

function summaryOf(done: readonly Done[]): Pick<Findings, 'handshakes'> {
  const handshakes: Record<string, Record<string, string>> = {};
  for (const { handshake, resumedById, resumedByTicket } of done) {
    const mark = `${handshake.format === 'record' ? 'R' : '2'}${resumedById ? 'i' : ''}${resumedByTicket ? 't' : ''}`;
    const row = (handshakes[handshake.suite.name] ??= {});
    const others = row[handshake.version];
    row[handshake.version] = others === undefined ? mark : `${others} ${mark}`;
  }
  return { handshakes };
}

function extensionsOf(seen: readonly EngineConnection[]): Pick<Findings, 'extensions' | 'ignored'> {
  const extensions: Record<string, 'used' | 'offered'> = {};
  const ignored = new Set<number>();
  for (const { hello, established, end } of seen) {
    if (hello === undefined) continue;
    for (const type of hello.extensions?.keys() ?? []) {
      const name = EXTENSION_NAMES.get(type);
      if (name === undefined) ignored.add(type);
      else if (established !== undefined && USED[name]?.(established) === true) extensions[name] = 'used';
      else extensions[name] ??= 'offered';
    }
    if (
      hello.cipherSuites.includes(TLS_EMPTY_RENEGOTIATION_INFO_SCSV) &&
      established?.secureRenegotiation === true
    )
      extensions['TLS_EMPTY_RENEGOTIATION_INFO_SCSV'] = 'used';
    if (hello.cipherSuites.includes(TLS_FALLBACK_SCSV) && end === 'inappropriate_fallback')
      extensions['TLS_FALLBACK_SCSV'] = 'used';
  }
  return { extensions, ignored: [...ignored].sort((a, b) => a - b) };
}

const EXTENSION_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ExtensionType).map(([name, type]) => [type, name]),
);

/** Whether an extension that was offered made a difference. */
const USED: Partial<Record<string, (established: Established) => boolean>> = {
  server_name: ({ serverName, credential }) =>
    serverName !== undefined && credential !== undefined && isNamed(credential, serverName),
  max_fragment_length: ({ maxFragmentLength }) => maxFragmentLength !== undefined,
  supported_groups: ({ group }) => group !== undefined,
  ec_point_formats: ({ suite }) => suite.keyExchange === 'ecdhe',
  signature_algorithms: ({ signatureScheme }) => signatureScheme !== undefined,
  encrypt_then_mac: ({ encryptThenMac }) => encryptThenMac,
  extended_master_secret: ({ extendedMasterSecret }) => extendedMasterSecret,
  session_ticket: ({ version }) => version !== ProtocolVersion.SSLv3,
  renegotiation_info: ({ secureRenegotiation }) => secureRenegotiation,
};

const FAMILIES: readonly CipherFamily[] = [...new Set(CIPHER_SUITES.map(({ family }) => family))];
/** Bytes each way. */
const SCENARIO_SIZE = 3000;
/** Milliseconds for one peer, on a slow machine. */
const TIMEOUT_MS = 240_000;
