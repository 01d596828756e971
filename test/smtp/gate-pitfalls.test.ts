/**
 * What STARTTLS proxies get wrong, one by one. Of the numbers that are missing here:
 * 6 (AUTH behind TLS) and 18 (STARTTLS passed on): test/program/backend-tls.test.ts;
 * 7 (what a PROXY header carries): test/proxy-protocol/; 8 (mail servers): test/interop/;
 * 9 (relaying for the proxy's address): test/proxy/backend/relay-risk.test.ts, test/config/identity.test.ts, test/check/;
 * 16 and 17 (telling hellos, in pieces): test/tls/hello/;
 * 19 (logging): test/program/.
 */
import { test } from 'tap';
import { parseConfig } from '../../src/config/load.js';
import { LineReader } from '../../src/smtp/line-reader.js';
import { GATE_REFUSALS } from '../../src/smtp/gate-refusals.js';
import { rewriteEhloReply } from '../../src/smtp/ehlo-reply.js';
import { ReplyReader } from '../../src/smtp/reply.js';
import { cuts, GateRig } from '../support/gate-rig.js';
import { proxyConfig } from '../support/proxy-config.js';

const READY = '220 2.0.0 proxy.example ready to start TLS\r\n';

test('pitfall 1: STARTTLS is answered only when every reply before it is out', async (t) => {
  const rig = new GateRig().greeted();
  rig.client('NOOP\r\nVRFY x\r\nSTARTTLS\r\n');
  t.equal(rig.toBackend, 'NOOP\r\nVRFY x\r\n', 'STARTTLS itself stays here');
  rig.backend('250 2.0.0 one\r\n252 2.0.0 t');
  t.equal(rig.ended, undefined);
  rig.backend('wo\r\n');
  t.equal(rig.toClient, `250 2.0.0 one\r\n252 2.0.0 two\r\n${READY}`);
  t.equal(rig.ended, 'start_tls');
});

test('pitfall 1: our own replies keep their place among those of the backend', async (t) => {
  const rig = new GateRig().greeted();
  rig.client('NOOP\r\nXCLIENT ADDR=1.2.3.4\r\nNOOP\r\nSTARTTLS now\r\n');
  rig.backend('250 one\r\n').backend('250 two\r\n');
  t.match(rig.toClient, /^250 one\r\n550 5\.7\.0 .*\r\n250 two\r\n501 5\.5\.4 .*\r\n$/);
});

test('pitfall 1: bytes behind STARTTLS are refused, never executed', async (t) => {
  const rig = new GateRig().greeted();
  rig.client('STARTTLS\r\nNOOP\r\n');
  t.match(rig.toClient, /^554 5\.5\.0 proxy\.example /);
  t.equal(rig.toBackend, '');
  t.equal(rig.ended, 'starttls_pipelined');
});

test('pitfall 2: a ClientHello in the same segment as STARTTLS counts as bytes behind it', async (t) => {
  const rig = new GateRig().greeted().client('STARTTLS\r\n\x16\x03\x01\x00\x05');
  t.equal(rig.ended, 'starttls_pipelined');
  const old = new GateRig().greeted().client('STARTTLS\r\n\x80\x1c\x01\x03\x01');
  t.equal(old.ended, 'starttls_pipelined');
});

test('pitfall 3: inside TLS the client begins anew, with a backend that greets only us', async (t) => {
  const rig = new GateRig({ starttls: 'active', greeting: 'swallow' });
  rig.client('EHLO again.example\r\n');
  t.equal(rig.toBackend, '', 'nothing is said to a backend that has not greeted');
  rig.backend('220 mta.example\r\n');
  t.equal(rig.toClient, '', 'no second greeting (RFC 3207, 4.2)');
  t.equal(rig.toBackend, 'EHLO again.example\r\n');
  t.equal(rig.gate.heloName, 'again.example');
});

test('pitfall 4: EHLO offers our STARTTLS once, and nothing that is only for us', async (t) => {
  const lines = [
    '250-mta.example XCLIENT STARTTLS',
    '250-XCLIENT NAME ADDR',
    '250-xforward NAME',
    '250-STARTTLS',
    '250-AUTH SCRAM-SHA-256-PLUS PLAIN SCRAM-SHA-1-PLUS',
    '250-AUTH=LOGIN',
    '250-SIZE 10240000',
    '250-X-UNKNOWN  two  spaces',
    '250 STARTTLS',
  ];
  const rig = new GateRig().backend('220 mta\r\n').client('EHLO c\r\n').forget();
  rig.backend(`${lines.join('\r\n')}\r\n`);
  t.same(rig.toClient.split('\r\n'), [
    '250-mta.example XCLIENT STARTTLS',
    '250-AUTH PLAIN',
    '250-AUTH=LOGIN',
    '250-SIZE 10240000',
    '250-X-UNKNOWN  two  spaces',
    '250 STARTTLS',
    '',
  ]);
  const inside = new GateRig({ starttls: 'active', greeting: 'swallow' });
  inside
    .client('EHLO c\r\n')
    .backend('220 mta\r\n')
    .backend(`${lines.join('\r\n')}\r\n`);
  t.notMatch(inside.toClient, /^250.(?:STARTTLS|XCLIENT|XFORWARD)/im);
  t.match(inside.toClient, /\r\n250 X-UNKNOWN {2}two {2}spaces\r\n$/, 'the last line is marked as the last');
});

test('pitfall 4: a reply to EHLO is the same in however many pieces it comes', async (t) => {
  const reply = '250-mta.example\r\n250-STARTTLS\r\n250-PIPELINING\r\n250 XCLIENT ADDR\r\n';
  for (const pieces of cuts(reply)) {
    const rig = new GateRig().backend('220 mta\r\n').client('EHLO c\r\n').forget();
    for (const piece of pieces) rig.backend(piece);
    t.equal(rig.toClient, '250-mta.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n');
  }
});

test('pitfall 4: a reply of one line becomes one of two; a refusal of EHLO passes as it is', async (t) => {
  const rig = new GateRig()
    .backend('220 mta\r\n')
    .client('EHLO c\r\n')
    .forget()
    .backend('250 mta.example\r\n');
  t.equal(rig.toClient, '250-mta.example\r\n250 STARTTLS\r\n');
  const bare = new GateRig().backend('220 mta\r\n').client('EHLO c\r\n').forget().backend('250\r\n');
  t.equal(bare.toClient, '250-\r\n250 STARTTLS\r\n');
  const refused = new GateRig().backend('220 mta\r\n').client('EHLO c\r\n').forget();
  refused.backend('502-no\r\n502 STARTTLS\r\n');
  t.equal(refused.toClient, '502-no\r\n502 STARTTLS\r\n');
});

test('pitfall 4: a HELO client gets one line and no TLS, and goes on in clear', async (t) => {
  const rig = new GateRig().backend('220 mta\r\n').client('HELO old.example\r\n').backend('250 mta\r\n');
  t.match(rig.toClient, /\r\n250 mta\r\n$/);
  rig.client('MAIL FROM:<a@b.example>\r\n');
  t.equal(rig.ended, 'pass_through');
  t.match(rig.toBackend, /MAIL FROM:<a@b\.example>\r\n$/);
  const inside = new GateRig({ starttls: 'active', greeting: 'swallow' });
  inside.backend('220 mta\r\n').client('HELO old.example\r\n').backend('250 mta\r\n');
  inside.client('MAIL FROM:<a@b.example>\r\n');
  t.equal(inside.ended, 'pass_through');
});

test('pitfall 4: with AUTH withheld, it is neither offered nor taken in clear', async (t) => {
  const rig = new GateRig({ auth: 'withhold' }).backend('220 mta\r\n').client('EHLO c\r\n').forget();
  rig.backend('250-mta\r\n250-AUTH PLAIN LOGIN\r\n250-AUTH=PLAIN\r\n250 SIZE 1\r\n');
  t.equal(rig.toClient, '250-mta\r\n250-SIZE 1\r\n250 STARTTLS\r\n');
  rig.forget().client('AUTH PLAIN AHVzZXIAc2VjcmV0\r\n');
  t.match(rig.toClient, /^538 5\.7\.11 proxy\.example /, 'RFC 4954, 6');
  t.equal(rig.toBackend, '', 'the password goes no further');
});

test('pitfall 5: space in front of a verb, which some backends skip, hides nothing', async (t) => {
  for (const space of [' ', '\t', ' \v\f']) {
    const rig = new GateRig({ auth: 'withhold' }).greeted();
    rig.client(`${space}XCLIENT ADDR=127.0.0.1\r\n${space}AUTH PLAIN AA==\r\n`);
    t.match(rig.toClient, /^550 5\.7\.0 .*\r\n538 5\.7\.11 .*\r\n$/);
    t.equal(rig.toBackend, '');
    rig.client(`${space}ehlo again\r\n`).forget().backend('250-mta\r\n250 XCLIENT ADDR\r\n');
    t.equal(rig.toClient, '250-mta\r\n250 STARTTLS\r\n');
    rig.client(`${space}STARTTLS${space}\r\n`);
    t.equal(rig.ended, 'start_tls', 'it is ours, and never the backend that begins TLS');
    const data = new GateRig().greeted().client(`${space}DATA\r\nEHLO is text here\r\n`);
    t.equal(data.ended, 'pass_through');
  }
});

for (const verb of [
  'XCLIENT NAME=a ADDR=127.0.0.1',
  'xforward ADDR=127.0.0.1',
  'PROXY TCP4 1.1.1.1 2.2.2.2 1 2',
]) {
  test(`pitfall 5: ${verb.split(' ')[0]} of a client's is answered here, in front of TLS and behind it`, async (t) => {
    const rig = new GateRig().backend('220 mta\r\n').client(`${verb}\r\n`);
    t.match(rig.toClient, /\r\n550 5\.7\.0 proxy\.example /);
    rig.greeted().client(`${verb}\r\n`);
    t.match(rig.toClient, /^550 5\.7\.0 /);
    t.equal(rig.toBackend, '');
    const inside = new GateRig({ starttls: 'active', greeting: 'swallow' });
    inside.backend('220 mta\r\n').client(`${verb}\r\nEHLO c\r\n`);
    t.match(inside.toClient, /^550 5\.7\.0 /);
    t.equal(inside.toBackend, 'EHLO c\r\n');
  });
}

test('pitfall 10: nothing is sent to a backend before it greets, and its greeting is not edited', async (t) => {
  const rig = new GateRig().client('EHLO eager.example\r\n');
  t.equal(rig.toBackend, '');
  const greeting = '220-mta.example ESMTP\r\n220  two  spaces \r\n';
  rig.backend(greeting);
  t.equal(rig.toClient, greeting);
  t.equal(rig.toBackend, 'EHLO eager.example\r\n');
});

test('pitfall 10: a greeting that refuses is the end, in the words of the backend', async (t) => {
  for (const greeting of ['421 4.3.2 busy\r\n', '554-5.7.1 no\r\n554 5.7.1 never\r\n']) {
    const rig = new GateRig().backend(greeting);
    t.equal(rig.toClient, greeting);
    rig.client('EHLO c\r\nMAIL FROM:<a@b>\r\nXCLIENT ADDR=127.0.0.1\r\nQUIT\r\n');
    t.equal(rig.toBackend, '', 'a backend that refuses hears nothing more');
    t.match(rig.toClient.slice(greeting.length), /^(?:503 .*\r\n){3}221 .*\r\n$/, 'RFC 5321, 3.1');
    t.equal(rig.ended, 'backend_unavailable');
    const inside = new GateRig({ starttls: 'active', greeting: 'swallow' }).backend(greeting);
    t.equal(inside.toClient, '', 'nobody waits for it there');
    inside.client('EHLO c\r\n');
    t.equal(inside.toClient, greeting, 'so it answers the next command');
    t.equal(inside.toBackend, '');
  }
});

test('pitfall 10: who goes on talking to a backend that refused is cut off', async (t) => {
  const rig = new GateRig().backend('554 5.7.1 no\r\n').client('NOOP\r\n'.repeat(50));
  t.equal(rig.ended, 'backend_unavailable');
  t.ok(rig.toClient.length < 2000);
});

test('pitfall 11: 421 is passed on whenever it comes, in its order', async (t) => {
  const idle = new GateRig().greeted().backend('421 4.3.2 shutting down\r\n');
  t.equal(idle.toClient, '421 4.3.2 shutting down\r\n');
  t.equal(idle.ended, undefined, 'the backend closes, and then so do we');
  const busy = new GateRig().greeted().client('NOOP\r\nNOOP\r\nSTARTTLS\r\n');
  busy.backend('250 one\r\n421 4.3.2 shutting down\r\n');
  t.match(busy.toClient, /^250 one\r\n421 4\.3\.2 shutting down\r\n/);
});

test('pitfall 11: a backend that ends while the client waits is not waited for', async (t) => {
  const waiting = new GateRig().greeted().client('NOOP\r\nXCLIENT A=B\r\n').backend('250-half a');
  waiting.gate.backendEnds();
  t.equal(waiting.ended, 'backend_gone');
  t.match(waiting.toClient, /^421 4\.3\.0 /);
  for (const rig of [
    new GateRig().greeted(),
    new GateRig().greeted().client('NOOP\r\nNOOP\r\n').backend('421 4.3.2 closing\r\n'),
    new GateRig().greeted().client('QUIT\r\n').backend('221 2.0.0 bye\r\n'),
  ]) {
    rig.gate.backendEnds();
    t.equal(rig.ended, undefined, 'a client that waits for nothing, or has its 421, is told no more');
  }
  const inside = new GateRig({ starttls: 'active', greeting: 'swallow' }).backend('421 4.3.2 busy\r\n');
  inside.gate.backendEnds();
  t.equal(inside.toClient, '421 4.3.2 busy\r\n', 'what would have answered its next command is said now');
  t.equal(inside.ended, 'backend_unavailable');
});

test('pitfall 11: a client that talks too early and is dismissed by the backend gets one reply, and the blame', async (t) => {
  for (const auth of ['offer', 'withhold'] as const) {
    const rig = new GateRig({ auth }).backend('220 mta\r\n');
    rig.client('EHLO c\r\nNOOP\r\nNOOP\r\n').forget().backend('554 5.5.0 synchronization error\r\n');
    rig.gate.backendEnds();
    t.equal(rig.toClient, '554 5.5.0 synchronization error\r\n', 'no 421 behind it');
    t.equal(rig.ended, 'client_dismissed');
  }
  t.equal(GATE_REFUSALS.client_dismissed.fault, 'client');
  const broken = new GateRig().greeted().client('NOOP\r\nNOOP\r\n').backend('250 ok\r\n');
  broken.gate.backendEnds();
  t.equal(broken.ended, 'backend_gone', 'a backend that breaks off after success is to blame itself');
});

test('TLS where SMTP in clear comes first is refused with a reason of its own', async (t) => {
  for (const hello of ['\x16\x03\x01\x00\x05', '\x80\x2e\x01\x03\x01']) {
    const atOnce = new GateRig().client(hello);
    t.equal(atOnce.ended, 'tls_without_starttls', 'before the greeting');
    t.match(atOnce.toClient, /^554 5\.5\.0 /);
    t.equal(new GateRig().greeted().client(hello).ended, 'tls_without_starttls');
    for (const starttls of ['hide', 'pass'] as const) {
      const rig = new GateRig({ starttls }).greeted().client('STARTTLS\r\n');
      if (starttls === 'pass') rig.backend('454 4.7.0 not now\r\n');
      t.equal(rig.client(hello).ended, 'tls_despite_refusal', starttls);
    }
  }
});

test('pitfall 11: the end of the client waits for what is held back', async (t) => {
  const rig = new GateRig().client('EHLO c\r\nQUIT');
  t.equal(rig.gate.holdsBack, true, 'before the greeting');
  rig.backend('220 mta\r\n');
  t.equal(rig.gate.holdsBack, false, 'half a command will never be one');
  rig.client('\r\nMAIL FROM:<a@b>\r\n');
  t.equal(rig.gate.holdsBack, false, 'before EHLO is answered MAIL is like any other');
  const held = new GateRig().greeted().client('NOOP\r\nMAIL FROM:<a@b>\r\n');
  t.equal(held.gate.holdsBack, true, 'while a reply is to come');
  held.backend('250 ok\r\n');
  t.equal(held.gate.holdsBack, false);
});

test('pitfall 11: any other reply that nobody asked for is refused, as it could answer the next command', async (t) => {
  const rig = new GateRig().greeted().backend('250 2.1.5 ok\r\n');
  t.equal(rig.ended, 'reply_unexpected');
  t.match(rig.toClient, /^421 4\.3\.0 /);
});

for (const command of ['BDAT 20 LAST', 'DATA', 'AUTH LOGIN', 'MAIL FROM:<a@b.example>']) {
  test(`pitfall 12: what follows ${command.split(' ')[0]} is no command, so parsing ends`, async (t) => {
    const body = 'STARTTLS\r\nXCLIENT\n\0.\r\n';
    const rig = new GateRig().greeted().client(`NOOP\r\n${command}\r\n${body}`);
    t.equal(rig.toBackend, 'NOOP\r\n', 'but only when no reply is outstanding any more');
    rig.backend('250 ok\r\n354 what came behind it\r\n');
    t.equal(rig.ended, 'pass_through');
    t.equal(rig.toBackend, `NOOP\r\n${command}\r\n${body}`, 'byte for byte');
    t.equal(rig.toClient, '250 ok\r\n354 what came behind it\r\n');
  });
}

test('pitfall 12: MAIL before EHLO is for the backend to refuse, and EHLO is still rewritten', async (t) => {
  const rig = new GateRig().backend('220 mta\r\n').client('MAIL FROM:<a@b.example>\r\n');
  rig.backend('503 5.5.1 EHLO first\r\n').forget();
  t.equal(rig.ended, undefined);
  rig.client('EHLO c\r\n').backend('250-mta\r\n250 XCLIENT ADDR\r\n');
  t.equal(rig.toClient, '250-mta\r\n250 STARTTLS\r\n');
});

test('pitfall 13: with bare-lf = "reject", a command ends with CR LF and nothing else', async (t) => {
  for (const [bytes, reason] of [
    ['NOOP\n', 'bare_newline'],
    ['NOOP\rQUIT\r\n', 'bare_newline'],
    ['NOOP\r\r\n', 'bare_newline'],
    ['EHLO a\nSTARTTLS\r\n', 'bare_newline'],
    ['NOOP \0\r\n', 'nul_byte'],
  ] as const) {
    for (const pieces of cuts(bytes)) {
      const rig = new GateRig({ bareLf: 'reject' }).greeted();
      for (const piece of pieces) rig.client(piece);
      t.equal(rig.ended, reason, JSON.stringify(pieces));
      t.match(rig.toClient, /^500 5\.5\.2 /);
      t.equal(rig.toBackend, '');
    }
  }
});

test('pitfall 13: a reply with bare CR, bare LF or NUL is no reply', async (t) => {
  for (const bytes of [
    '250 a\n',
    '250 a\rb\r\n',
    '250 a\0\r\n',
    'hello\r\n',
    '250-a\r\n251 b\r\n',
    '999 a\r\n',
  ]) {
    const rig = new GateRig().greeted().client('NOOP\r\n').backend(bytes);
    t.equal(rig.ended, 'reply_malformed', JSON.stringify(bytes));
    t.match(rig.toClient, /^421 4\.3\.0 /);
  }
});

test('pitfall 14: lines have bounds, for client and backend', async (t) => {
  const long = new GateRig().greeted().client(`NOOP ${'x'.repeat(3000)}`);
  t.equal(long.ended, 'line_too_long');
  t.match(long.toClient, /^500 5\.5\.2 /);
  const fits = new GateRig().greeted().client(`VRFY ${'x'.repeat(1500)}\r\n`);
  t.equal(fits.ended, undefined);
  const reply = new GateRig()
    .greeted()
    .client('NOOP\r\n')
    .backend(`250 ${'x'.repeat(3000)}`);
  t.equal(reply.ended, 'reply_too_long');
  const lines = new GateRig().greeted().client('NOOP\r\n').backend('250-x\r\n'.repeat(200));
  t.equal(lines.ended, 'reply_too_long');
});

test('pitfall 14: commands without end and without waiting are refused', async (t) => {
  const rig = new GateRig().greeted().client('NOOP\r\n'.repeat(200)).backend('250 ok\r\n'.repeat(100));
  t.equal(rig.ended, 'pipeline_too_deep');
  t.match(rig.toClient, /^(?:250 ok\r\n){100}421 4\.5\.3 .*\r\n$/);
  t.equal(
    new GateRig().client('NOOP\r\n'.repeat(20_000)).ended,
    'pipeline_too_deep',
    'before the greeting too',
  );
});

test('pitfall 15: nobody is given less time than RFC 5321, 4.5.3.2 asks for', async (t) => {
  const { limits } = parseConfig(proxyConfig(), 'oldhello.toml');
  const minutes = 60_000;
  t.ok(limits.greetingTimeout >= 5 * minutes, '4.5.3.2.1: five minutes for the greeting');
  t.ok(limits.commandTimeout >= 5 * minutes, '4.5.3.2.7: five minutes for a command of the client');
  t.ok(limits.idleTimeout > 10 * minutes, '4.5.3.2.6: ten minutes for the reply to the end of a message');
});

test('pitfall 17: lines and replies are the same in however many pieces they come', async (t) => {
  for (const pieces of cuts('EHLO a\r\nNOOP\r\n')) {
    const reader = new LineReader({ maxLength: 100, bareLf: 'reject' });
    const lines: string[] = [];
    for (const piece of pieces) {
      reader.push(Buffer.from(piece));
      for (let read = reader.next(); read !== undefined; read = reader.next()) {
        lines.push('line' in read ? read.line.toString() : read.violation);
      }
    }
    t.same(lines, ['EHLO a\r\n', 'NOOP\r\n']);
  }
});

test('pitfall 18: with STARTTLS passed on, the backend decides, and may refuse', async (t) => {
  const rig = new GateRig({ starttls: 'pass' }).backend('220 mta\r\n').client('EHLO c\r\n').forget();
  rig.backend('250-mta\r\n250 STARTTLS\r\n');
  t.equal(rig.toClient, '250-mta\r\n250 STARTTLS\r\n', "the backend's own offer");
  rig.forget().client('NOOP\r\nSTARTTLS\r\n');
  t.equal(rig.toBackend, 'NOOP\r\n', 'it hears of it when nothing is outstanding');
  rig.backend('250 ok\r\n');
  t.equal(rig.toBackend, 'NOOP\r\nSTARTTLS\r\n');
  rig.backend('454 4.7.0 not now\r\n');
  t.equal(rig.toClient, '250 ok\r\n454 4.7.0 not now\r\n');
  t.same([rig.ended, rig.declined], [undefined, 1]);
  rig.client('STARTTLS\r\n').backend('220 go\r\n');
  t.equal(rig.ended, 'start_tls');
  const none = new GateRig({ starttls: 'pass' }).backend('220 mta\r\n').client('EHLO c\r\n').forget();
  none.backend('250-mta\r\n250 SIZE 1\r\n');
  t.equal(none.toClient, '250-mta\r\n250 SIZE 1\r\n', 'nothing is offered that the backend has not');
});

test('pitfall 18: a client whose policy hides STARTTLS receives a refusal when it sends STARTTLS', async (t) => {
  const rig = new GateRig({ starttls: 'hide' }).backend('220 mta\r\n').client('EHLO c\r\n').forget();
  rig.backend('250-mta\r\n250 STARTTLS\r\n').client('STARTTLS\r\n');
  t.match(rig.toClient, /^250 mta\r\n502 5\.5\.1 /);
  const active = new GateRig({ starttls: 'active', greeting: 'none' }).client('STARTTLS\r\n');
  t.match(active.toClient, /^503 5\.5\.1 /, 'inside TLS there is no second one');
});

test('pitfall 20: when too many handshakes run, STARTTLS gets 421, and the client comes again', async (t) => {
  const rig = new GateRig().greeted();
  rig.mayStartTls = false;
  rig.client('NOOP\r\nSTARTTLS\r\n').backend('250 ok\r\n');
  t.match(rig.toClient, /^250 ok\r\n421 4\.7\.0 proxy\.example [^\r]*\r\n$/);
  t.equal(rig.ended, 'starttls_not_now');
});

test('rewriting keeps every byte of every line that stays', async (t) => {
  const bytes = Buffer.from('250-mta\r\n250-SIZE 1\r\n250-\xe9t\xe9 8\r\n250 X=Y\r\n', 'latin1');
  const reader = new ReplyReader();
  reader.push(bytes);
  const read = reader.next();
  if (read === undefined || 'violation' in read) throw new Error('no reply');
  t.same(rewriteEhloReply(read.reply, { starttls: 'remove', withholdAuth: false }), bytes);
});
