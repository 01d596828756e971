/**
 * STARTTLS injection in the manner of "Why TLS Is Better Without STARTTLS" (USENIX Security 2021): commands that a man in
 * the middle puts behind STARTTLS, replies that he puts behind its answer, in every way that bytes can be buffered.
 * Nothing said in clear may be taken for something said in TLS.
 */
import { test } from 'tap';
import { StarttlsDialogue } from '../../src/smtp/starttls-dialogue.js';
import { cuts, GateRig } from '../support/gate-rig.js';

/** What he would like to have executed inside TLS. */
const INJECTED = [
  'NOOP\r\n',
  'EHLO evil\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<v@y.example>\r\nDATA\r\n',
  'RSET\r\n',
  ' \r\n',
  '\r\n',
  'X',
  '\x16\x03\x01',
];
const REPLY = '250-mta.example\r\n250 STARTTLS\r\n';

for (const starttls of ['offer', 'pass'] as const) {
  for (const injected of INJECTED) {
    test(`command injection, ${starttls}: ${JSON.stringify(injected)}, at every split`, async (t) => {
      for (const pieces of cuts(`STARTTLS\r\n${injected}`)) {
        const rig = new GateRig({ starttls }).greeted(['STARTTLS']);
        for (const piece of pieces) rig.client(piece);
        const atOnce = rig.ended === 'start_tls';
        if (starttls === 'pass' && rig.ended === undefined) rig.backend('220 go\r\n');
        const refused = rig.ended === 'starttls_pipelined';
        // What came behind our 220 is TLS, or breaks it; the gate has nothing to do with it any more.
        t.ok(refused || atOnce || pieces[1] === '', JSON.stringify(pieces));
        t.match(
          rig.toBackend,
          starttls === 'pass' ? /^(?:STARTTLS\r\n)?$/ : /^$/,
          'nothing of it is forwarded',
        );
        if (refused) t.match(rig.toClient, /^554 [^\r]*\r\n$/, 'one reply, and no second one');
        const before = rig.toBackend;
        rig.client('QUIT\r\n');
        t.equal(rig.toBackend, before, 'nor kept for later');
      }
    });
  }

  test(`command injection, ${starttls}: while replies are outstanding, at every split`, async (t) => {
    for (const pieces of cuts('EHLO c\r\nNOOP\r\nSTARTTLS\r\nRSET\r\n')) {
      const rig = new GateRig({ starttls }).backend('220 mta\r\n');
      for (const piece of pieces) rig.client(piece);
      rig.backend(REPLY).backend('250 ok\r\n');
      t.equal(rig.ended, 'starttls_pipelined');
      t.equal(rig.toBackend, 'EHLO c\r\nNOOP\r\n');
    }
  });

  test(`command injection, ${starttls}: bytes that come while the answer is still held back`, async (t) => {
    const rig = new GateRig({ starttls }).greeted(['STARTTLS']).client('NOOP\r\nSTARTTLS\r\n').client('R');
    rig.backend('250 ok\r\n');
    t.equal(rig.ended, 'starttls_pipelined');
    t.equal(rig.toBackend, 'NOOP\r\n');
  });
}

test('command injection, pass: bytes between the STARTTLS that was passed on and its answer', async (t) => {
  const rig = new GateRig({ starttls: 'pass' }).greeted(['STARTTLS']).client('STARTTLS\r\n');
  t.equal(rig.toBackend, 'STARTTLS\r\n');
  rig.client('RSET\r\n');
  t.equal(rig.ended, 'starttls_pipelined');
  rig.backend('220 go\r\n');
  t.equal(rig.toBackend, 'STARTTLS\r\n');
});

test('command injection: what was held back for a backend does not outlive STARTTLS', async (t) => {
  const rig = new GateRig().client('EHLO c\r\nSTARTTLS\r\nMAIL FROM:<evil@x.example>\r\n');
  rig.backend('220 mta\r\n').backend(REPLY);
  t.equal(rig.ended, 'starttls_pipelined');
  t.equal(rig.toBackend, 'EHLO c\r\n');
});

/** Whether the piece that ends the reply to STARTTLS holds more. */
const together = (pieces: readonly string[]): boolean =>
  pieces.length === 2 && pieces[0]!.length !== '220 go\r\n'.length;

const RESPONSES = [
  '250 injected\r\n',
  '250-mta\r\n250 AUTH PLAIN\r\n',
  '2',
  '\r\n',
  '\x16\x03\x03',
  '220 go\r\n',
];

for (const response of RESPONSES) {
  test(`response injection, pass: ${JSON.stringify(response)} behind 220, at every split`, async (t) => {
    const text = `220 go\r\n${response}`;
    for (const pieces of cuts(text)) {
      const rig = new GateRig({ starttls: 'pass' }).greeted(['STARTTLS']).client('STARTTLS\r\n').forget();
      for (const piece of pieces) rig.backend(piece);
      if (rig.ended === 'start_tls') t.equal(rig.toClient, '220 go\r\n', 'no byte of it goes on in clear');
      else t.match(rig.toClient, /^421 4\.3\.0 [^\r]*\r\n$/, 'the client hears neither 220 nor the rest');
      t.ok(rig.ended === 'start_tls' || rig.ended === 'reply_unexpected', JSON.stringify(pieces));
      if (together(pieces)) t.equal(rig.ended, 'reply_unexpected');
    }
  });

  test(`response injection, our own STARTTLS: ${JSON.stringify(response)} behind 220, at every split`, async (t) => {
    for (const pieces of cuts(`220 go\r\n${response}`)) {
      const ended: string[] = [];
      const dialogue = new StarttlsDialogue('proxy.example', {
        toBackend: () => undefined,
        ready: (greeting) => void ended.push(`ready ${greeting.toString()}`),
        rejected: () => void ended.push('rejected'),
        failed: (reason) => void ended.push(reason),
      });
      dialogue.fromBackend(Buffer.from(`220 mta\r\n${REPLY}`));
      for (const piece of pieces) dialogue.fromBackend(Buffer.from(piece, 'latin1'));
      t.equal(ended.length, 1, 'it ends once, whatever else comes');
      // In one piece it is seen here; in a later one it is where TLS should be, and breaks the handshake.
      t.equal(ended[0], together(pieces) ? 'backend_early_bytes' : 'ready 220 mta\r\n');
    }
  });
}

test('response injection: a reply to a command that nobody gave never reaches the client', async (t) => {
  for (const starttls of ['offer', 'pass', 'hide'] as const) {
    const rig = new GateRig({ starttls }).greeted(['STARTTLS']).backend('250 injected\r\n');
    t.equal(rig.ended, 'reply_unexpected');
    t.notMatch(rig.toClient, /injected/);
  }
});

test('response injection: behind the reply to EHLO inside TLS there is nothing left to change', async (t) => {
  const rig = new GateRig({ starttls: 'active', greeting: 'swallow' });
  rig.backend('220 mta\r\n220 injected\r\n');
  t.equal(rig.ended, 'reply_unexpected', 'a second greeting is no greeting');
});

test('response injection: a greeting that is neither 220 nor a refusal begins no session', async (t) => {
  for (const greeting of ['relay', 'swallow'] as const) {
    for (const code of [200, 221, 250, 299, 300, 354, 399]) {
      const rig = new GateRig({ greeting }).client('EHLO c\r\n').backend(`${code} mta.example\r\n`);
      t.equal(rig.ended, 'reply_unexpected', `${greeting} ${code}`);
      t.match(rig.toClient, /^421 4\.3\.0 [^\r]*\r\n$/, 'the client does not hear it');
      t.equal(rig.toBackend, '');
    }
  }
});
