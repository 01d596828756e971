/** XCLIENT as Postfix's XCLIENT_README has it, without a socket. */
import fc from 'fast-check';
import { test } from 'tap';
import { StarttlsDialogue } from '../../src/smtp/starttls-dialogue.js';
import { TrustDialogue } from '../../src/smtp/trust-dialogue.js';
import { XclientDialogue, xclientCommands } from '../../src/smtp/xclient.js';

const FACTS = {
  source: { address: '192.0.2.7', port: 40_000 },
  destination: { address: '198.51.100.1', port: 25 },
};
const ALL = ['NAME', 'ADDR', 'PROTO', 'HELO', 'REVERSE_NAME', 'PORT', 'LOGIN', 'DESTADDR', 'DESTPORT'];

/** A dialogue, and everything it does. */
function start(kind: 'xclient' | 'starttls' | 'trust' = 'xclient'): {
  dialogue: XclientDialogue | StarttlsDialogue | TrustDialogue;
  sent: string[];
  ended: string[];
} {
  const sent: string[] = [];
  const ended: string[] = [];
  const output = {
    toBackend: (bytes: Buffer) => void sent.push(bytes.toString('latin1')),
    ready: (greeting: Buffer) => void ended.push(`ready ${greeting.toString('latin1')}`),
    rejected: (greeting: Buffer) => void ended.push(`rejected ${greeting.toString('latin1')}`),
    failed: (reason: string, detail: string) => void ended.push(`failed ${reason} ${detail}`),
  };
  const dialogue = {
    xclient: () => new XclientDialogue('proxy.example', FACTS, output),
    starttls: () => new StarttlsDialogue('proxy.example', output),
    trust: () => new TrustDialogue('proxy.example', output),
  }[kind]();
  return { dialogue, sent, ended };
}

/** What the backend says, reply by reply. */
function run(...replies: string[]): { sent: string[]; ended: string[] } {
  const { dialogue, sent, ended } = start();
  for (const reply of replies) dialogue.fromBackend(Buffer.from(reply, 'latin1'));
  return { sent, ended };
}

const GREETING = '220 mta.example ESMTP\r\n';
const EHLO = `250-mta.example\r\n250-XCLIENT ${ALL.join(' ')}\r\n250 8BITMIME\r\n`;
const COMMAND =
  'XCLIENT NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE] PORT=40000 DESTADDR=198.51.100.1 DESTPORT=25 ADDR=192.0.2.7\r\n';

test('the backend receives EHLO, then XCLIENT, and its second greeting is the one for the client', async (t) => {
  const { sent, ended } = run(GREETING, EHLO, '220 mta.example again\r\n');
  t.same(sent, ['EHLO proxy.example\r\n', COMMAND]);
  t.same(ended, ['ready 220 mta.example again\r\n']);
});

test('in a session that was greeted before TLS, EHLO comes first', async (t) => {
  const { dialogue, sent, ended } = start();
  dialogue.startWithEhlo(Buffer.from(GREETING));
  dialogue.fromBackend(Buffer.from(`${EHLO}220 again\r\n`));
  t.same(sent, ['EHLO proxy.example\r\n', COMMAND]);
  t.same(ended, ['ready 220 again\r\n']);
});

test('only attributes that the backend announces are sent, with ADDR last', async (t) => {
  t.same(xclientCommands(FACTS, ['ADDR']), ['XCLIENT ADDR=192.0.2.7']);
  t.same(xclientCommands(FACTS, ['ADDR', 'NAME', 'PORT', 'PROTO', 'HELO']), [
    'XCLIENT NAME=[UNAVAILABLE] PORT=40000 ADDR=192.0.2.7',
  ]);
});

test('an IPv6 address has its prefix and no zone', async (t) => {
  const facts = { ...FACTS, source: { address: '2001:db8::1', port: 1 } };
  t.same(xclientCommands(facts, ['ADDR']), ['XCLIENT ADDR=IPV6:2001:db8::1']);
  const local = { ...FACTS, source: { address: 'fe80::1%eth0', port: 1 } };
  t.same(xclientCommands(local, ['ADDR']), ['XCLIENT ADDR=IPV6:fe80::1']);
});

test('no value can end a command or begin another attribute, and no line is longer than 512 bytes', async (t) => {
  fc.assert(
    fc.property(fc.string({ maxLength: 600, unit: 'binary' }), fc.subarray(ALL), (address, announced) => {
      const bytes = Buffer.from(address, 'utf8').toString('latin1').slice(0, 255);
      const facts = { source: { address: bytes, port: 1 }, destination: { address: bytes, port: 2 } };
      const commands = xclientCommands(facts, announced);
      for (const command of commands) {
        t.match(command, /^XCLIENT(?: [A-Z_]+=[!-*,-<>-~+]*)*$/);
        t.equal((command.match(/=/g) ?? []).length, (command.match(/ /g) ?? []).length);
      }
    }),
    { numRuns: 200 },
  );
  const long = { address: 'x'.repeat(255), port: 1 };
  const commands = xclientCommands({ source: long, destination: long }, ALL);
  t.ok(commands.length > 1 && commands.every((command) => command.length <= 510));
  t.match(commands.at(-1), / ADDR=x+$/);
});

test('each of several commands is answered before the next is sent', async (t) => {
  const sent: string[] = [];
  const long = { address: 'x'.repeat(255), port: 1 };
  const dialogue = new XclientDialogue(
    'proxy.example',
    { source: long, destination: long },
    {
      toBackend: (bytes) => void sent.push(bytes.toString('latin1')),
      ready: () => void sent.push('ready'),
      rejected: () => t.fail('rejected'),
      failed: (reason) => t.fail(reason),
    },
  );
  dialogue.fromBackend(Buffer.from(GREETING + EHLO));
  t.equal(sent.length, 2);
  dialogue.fromBackend(Buffer.from('220 go on\r\n'));
  t.equal(sent.length, 3);
  dialogue.fromBackend(Buffer.from('220 welcome\r\n'));
  t.equal(sent[3], 'ready');
});

test('a backend that offers no XCLIENT and one that refuses it fail for different reasons', async (t) => {
  t.same(run(GREETING, '250-mta.example\r\n250 8BITMIME\r\n').ended, ['failed backend_no_xclient ']);
  t.same(run(GREETING, '250 XCLIENT ADDR\r\n').ended, ['failed backend_no_xclient '], 'a name is no keyword');
  t.same(run(GREETING, '250-x\r\n250 XCLIENT NAME PORT\r\n').ended, ['failed backend_no_xclient ']);
  for (const reply of [
    '501 5.5.4 Bad syntax',
    '503 5.5.1 no',
    '550 5.7.0 insufficient authorization',
    '250 what',
  ]) {
    t.same(run(GREETING, EHLO, `${reply}\r\n`).ended, [`failed backend_xclient_refused ${reply}`]);
  }
  t.same(run(GREETING, EHLO.replace('8BITMIME', 'XFORWARD NAME ADDR')).ended, [
    'failed backend_trusts_clients ',
  ]);
  t.same(run(GREETING, '502 no\r\n').ended, ['failed backend_ehlo_refused 502 no']);
  t.same(run('HTTP/1.1 400\r\n').ended, ['failed backend_reply_broken reply_malformed']);
});

test('where no address of a client is sent, a backend that offers XCLIENT or XFORWARD is rejected', async (t) => {
  for (const keyword of ['XCLIENT NAME ADDR', 'xforward NAME ADDR']) {
    const { dialogue, ended } = start('trust');
    dialogue.fromBackend(Buffer.from(`${GREETING}250-x\r\n250-SIZE 1\r\n250 ${keyword}\r\n`));
    t.same(ended, ['failed backend_trusts_clients ']);
  }
  const { dialogue, sent, ended } = start('trust');
  dialogue.fromBackend(Buffer.from(`${GREETING}250-XCLIENT\r\n250 SIZE 1\r\n`));
  t.same([sent, ended], [['EHLO proxy.example\r\n'], [`ready ${GREETING}`]], 'a name is no keyword');
});

test('a greeting that refuses the client is for the client, whichever of the two it is', async (t) => {
  for (const greeting of ['421 4.3.2 busy', '450 4.7.1 later', '554 5.7.1 no mail from you']) {
    t.same(run(`${greeting}\r\n`).ended, [`rejected ${greeting}\r\n`], 'ours');
    t.same(
      run(GREETING, EHLO, `${greeting}\r\n`).ended,
      [`rejected ${greeting}\r\n`],
      'the one after XCLIENT',
    );
  }
});

test('a greeting that neither accepts nor refuses ends every dialogue, and no session follows it', async (t) => {
  // Taken for an acceptance, it would take the place of TLS to the backend, or of XCLIENT.
  for (const greeting of [
    '200 hello',
    '221 bye',
    '250 mta.example',
    '299 x',
    '300 x',
    '354 go on',
    '399 x',
  ]) {
    for (const kind of ['xclient', 'starttls', 'trust'] as const) {
      const { dialogue, sent, ended } = start(kind);
      dialogue.fromBackend(Buffer.from(`${greeting}\r\n`));
      t.same([sent, ended], [[], [`failed backend_reply_broken ${greeting}`]], kind);
    }
  }
});

test('however the bytes are cut, the dialogues are the same', async (t) => {
  for (const kind of ['xclient', 'starttls'] as const) {
    const replies =
      kind === 'xclient' ? GREETING + EHLO + GREETING : `${GREETING}250-x\r\n250 STARTTLS\r\n220 go\r\n`;
    const whole = start(kind);
    whole.dialogue.fromBackend(Buffer.from(replies));
    t.match(whole.ended, [/^ready 220/]);
    for (let cut = 1; cut < replies.length; cut += 1) {
      const parts = start(kind);
      parts.dialogue.fromBackend(Buffer.from(replies.slice(0, cut)));
      parts.dialogue.fromBackend(Buffer.from(replies.slice(cut)));
      t.same([parts.sent, parts.ended], [whole.sent, whole.ended], `cut at ${cut}`);
    }
  }
});
