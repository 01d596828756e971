/** What docs/backends.md says of a mail server, proven with the server itself: a test for each ability it has. */
import { createHash, X509Certificate } from 'node:crypto';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { ABILITIES, type Ability, type BackendGuide } from '../../tools/docs/backend-guides.js';
import type { Mta } from './peers/mta.js';
import { NEW_CLIENT, traceOf, Trials, type Login, type Way } from './trials.js';

const IDENTITIES = ['proxy-v1', 'proxy-v2', 'xclient'] as const satisfies readonly Ability[];
const LOGIN: Login = { user: 'anna', pass: 'secret' };
const WRONG_PIN = `${'A'.repeat(43)}=`;

/** A proof that the server does not have an ability. */
export type Disproof = (t: Test, trials: Trials) => Promise<unknown>;

/**
 * Runs one test for each ability: those of the guide that the server has, as they are meant to be used, and those it
 * lacks by the given disproofs.
 * @param more ways that the disproofs need
 */
export async function proveGuide(
  t: Test,
  guide: BackendGuide,
  mta: Mta,
  disproofs: Partial<Readonly<Record<Ability, Disproof>>> = {},
  more: readonly Way[] = [],
): Promise<Trials> {
  const ways = waysOf(guide, mta);
  const trials = await Trials.start(t, mta, [...ways.values(), ...more]);
  for (const ability of Object.keys(ABILITIES) as Ability[]) {
    if (guide.abilities[ability] === 'no') {
      const disproof = disproofs[ability];
      if (disproof !== undefined) await t.test(`has no ${ABILITIES[ability]}`, (t) => disproof(t, trials));
    } else {
      for (const [title, prove] of PROOFS[ability])
        await t.test(title, (t) => prove(t, { mta, trials, ways }));
    }
  }
  return trials;
}

interface Scene {
  readonly mta: Mta;
  readonly trials: Trials;
  readonly ways: ReadonlyMap<string, Way>;
}

type Title = string;
type Prove = (t: Test, scene: Scene) => Promise<void>;

const identityProof = (identity: (typeof IDENTITIES)[number]): (readonly [Title, Prove])[] => [
  [
    `names both clients by ${ABILITIES[identity]}`,
    (t, { trials, ways }) => trials.bothArrive(t, ways.get(identity)!, { tls: false, path: 'native' }),
  ],
  [
    `relays for no client, but for its own host if it is told to, by ${ABILITIES[identity]}`,
    async (t, { mta, trials, ways }) => {
      const port = trials.port(ways.get(identity)!);
      t.match(await mayRelay(port, '127.0.0.1'), mta.relaysForItself ? /^250 / : /^55\d /);
      t.match(await mayRelay(port, NEW_CLIENT), /^55\d /);
      for (const outcome of ['plaintext', 'plaintext']) t.match(await trials.nextConnection(), { outcome });
    },
  ],
];

const PROOFS: Readonly<Record<Ability, readonly (readonly [Title, Prove])[]>> = {
  'proxy-v1': identityProof('proxy-v1'),
  'proxy-v2': identityProof('proxy-v2'),
  xclient: identityProof('xclient'),
  starttls: [
    [
      'takes mail over STARTTLS of its own',
      (t, { trials, ways }) => trials.bothArrive(t, ways.get('starttls')!, { tls: true, path: 'native' }),
    ],
    ['gets no mail if its certificate is not the one it should be', proveTrust],
  ],
  implicit: [
    [
      'takes mail over TLS of its own from the first byte',
      (t, { trials, ways }) => trials.bothArrive(t, ways.get('implicit')!, { tls: true, path: 'native' }),
    ],
  ],
  bridge: [
    [
      'keeps its own TLS for clients of today, and has the old one over TLS too',
      async (t, { mta, trials, ways }) => {
        for (const name of ['bridge', 'bridge, implicit']) {
          const way = ways.get(name);
          if (way === undefined) continue;
          await trials.bothArrive(t, way, { tls: true, path: 'passthrough', trusted: mta.certificate });
        }
      },
    ],
  ],
  auth: [['lets users log in over TLS, and shows no login in clear', proveAuth]],
};

/** The setups of the guide, and what differs from them only in a word. */
function waysOf({ setups, abilities }: BackendGuide, mta: Mta): Map<string, Way> {
  const ways = new Map<string, Way>();
  const add = (name: string, backend: string | undefined, mode: Way['mode'] = 'starttls'): void => {
    if (backend !== undefined) ways.set(name, { name, mode, backend });
  };
  const of = (name: string, identity?: string): string | undefined =>
    setups[name] && mta.backend(setups[name], identity);
  for (const identity of IDENTITIES) {
    if (abilities[identity] === 'yes') add(identity, of(identity) ?? of('plain', identity));
  }
  // STARTTLS of a client and of the backend are two things, and so they are tried crosswise.
  add('starttls', of('starttls'), 'implicit');
  add('implicit', of('implicit'));
  add('bridge', of('bridge'));
  add('auth', of('auth'));
  const implicit = of('implicit');
  // oldhello wants to know who believes what before it lets bytes through that it cannot read.
  if (abilities.bridge === 'yes' && implicit !== undefined && mta.knowsClients) {
    add('bridge, implicit', implicit.replace('tls = "implicit"', 'tls = "bridge"'), 'implicit');
  }
  const starttls = of('starttls')?.replace(/\ntls-ca = .*\ntls-name = .*/, '');
  if (starttls !== undefined) {
    const pin = pinOf(mta.certificate);
    add('right pin', `${starttls}\ntls-pin = "${pin}"`);
    add('wrong pin', `${starttls}\ntls-pin = "${WRONG_PIN}"`);
    add('unknown authority', starttls);
    add('wrong name', of('starttls')!.replace('tls-name = "backend.example"', 'tls-name = "other.example"'));
  }
  return ways;
}

async function proveTrust(t: Test, { mta, trials, ways }: Scene): Promise<void> {
  const pin = pinOf(mta.certificate);
  const altnames = "Hostname/IP does not match certificate's altnames";
  const refused = [
    ['wrong pin', `its key has the pin ${pin}, not tls-pin`],
    ['unknown authority', 'self-signed certificate'],
    ['wrong name', `${altnames}: Host: other.example. is not in the cert's altnames: DNS:backend.example`],
  ] as const;
  for (const [name, explanation] of refused) {
    const way = ways.get(name)!;
    t.match(await trials.sendOld(way), { ok: false, error: /421 4\.3\.0 proxy\.example / }, `${name}: old`);
    await t.rejects(trials.sendNew(way), { message: /421 4\.3\.0 proxy\.example / }, `${name}: new`);
    for (const client of ['old', 'new']) {
      const session = await trials.nextConnection();
      t.match(
        session,
        { outcome: 'backend_failed', reason: 'backend_tls_untrusted' },
        `${name}, ${client}: the log`,
      );
      t.match(session.explanation, `backend ${name} (127.0.0.1:${backendPort(way)}): ${explanation}`);
    }
  }
  await trials.bothArrive(t, ways.get('right pin')!, { tls: true, path: 'native' });
}

async function proveAuth(t: Test, { mta, trials, ways }: Scene): Promise<void> {
  const way = ways.get('auth')!;
  const [, offered] = await talk(trials.port(way), NEW_CLIENT, ['EHLO clear.example']);
  t.match(offered, '250 ');
  t.notMatch(offered, 'AUTH', 'nobody is asked for a password in clear');
  await trials.nextConnection();
  for (const send of [
    async () => t.match(await trials.sendOld(way, LOGIN), { ok: true }, 'the old client logs in'),
    () => trials.sendNew(way, undefined, LOGIN),
  ]) {
    await send();
    const said = `${traceOf(await mta.nextMessage())}\n${mta.log()}`;
    t.match(said, /\bwith ESMTPSA\b|"username":"anna"/i, 'the server says that it was logged in');
    t.match(await trials.nextConnection(), { outcome: 'completed' });
  }
  await t.rejects(trials.sendNew(way, undefined, { ...LOGIN, pass: 'wrong' }), {
    message: /\b(?:535|454)\b/,
  });
  t.match(await trials.nextConnection(), { outcome: 'completed' });
}

/** SHA-256 of the public key, as tls-pin takes it. @param certificate PEM */
function pinOf(certificate: string): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

const backendPort = ({ backend }: Way): string => /address = "127\.0\.0\.1:(\d+)"/.exec(backend)![1]!;

/** The reply to a recipient who is nobody of the server's own. */
export async function mayRelay(port: number, client: string): Promise<string> {
  const commands = [
    'EHLO relay.example',
    'MAIL FROM:<a@relay.example>',
    'RCPT TO:<b@elsewhere.example>',
    'RSET',
  ];
  const [, , , reply] = await talk(port, client, commands);
  return reply!;
}

/**
 * The greeting, and the replies to what a client says in clear before it quits.
 * @param opening what it says before the greeting
 */
export async function talk(
  port: number,
  localAddress: string,
  commands: readonly string[],
  opening = '',
): Promise<string[]> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.write(opening);
  const replies: string[] = [];
  let reply = '';
  for await (const line of createInterface({ input: socket })) {
    reply += `${line}\n`;
    if (!/^\d{3} /.test(line)) continue;
    if (replies.length <= commands.length) socket.write(`${commands[replies.length] ?? 'QUIT'}\r\n`);
    replies.push(reply);
    reply = '';
  }
  return replies;
}
