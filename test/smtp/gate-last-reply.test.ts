/** The reply with which the gate ends a session stands where its client looks for it: behind all that are due. */
import { test } from 'tap';
import { cuts, GateRig } from '../support/gate-rig.js';

const OK = '250 ok\r\n';
const CONTENT = 'Subject: x\r\n\r\ntext\r\n.\r\n';
const DEFECTS = [
  ['NO\0OP\r\n', 'nul_byte', /^500 5\.5\.2 /],
  ['NOOP\rX\r\n', 'bare_newline', /^500 5\.5\.2 /],
  [`NOOP ${'x'.repeat(3000)}`, 'line_too_long', /^500 5\.5\.2 /],
  ['BDAT x\r\n', 'chunk_unclear', /^554 5\.5\.0 /],
] as const;

/** DATA was accepted, and the content may come. */
function inContent(): GateRig {
  return new GateRig({ auth: 'withhold' }).greeted().client('DATA\r\n').backend('354 go\r\n').forget();
}

for (const [defect, reason, refusal] of DEFECTS) {
  test(`${reason} behind a message: the client hears of the message first`, async (t) => {
    const end = `${CONTENT.slice(-6)}${defect.slice(0, 20)}`;
    for (const pieces of cuts(end)) {
      const rig = inContent().client(CONTENT.slice(0, -6));
      for (const piece of pieces) rig.client(piece);
      rig.client(defect.slice(20)).client('QUIT\r\n');
      t.same([rig.toClient, rig.ended], ['', undefined], JSON.stringify(pieces));
      t.equal(rig.toBackend, CONTENT, 'the backend has the message, and nothing that follows it');
      rig.backend('250 queued\r\n');
      t.match(rig.toClient, /^250 queued\r\n5/);
      t.match(rig.toClient.slice('250 queued\r\n'.length), refusal);
      t.equal(rig.ended, reason);
    }
  });
}

test('a backend that leaves without a reply to the message has the client come again', async (t) => {
  const rig = inContent().client(`${CONTENT}NO\0OP\r\n`);
  rig.gate.backendEnds();
  t.match(rig.toClient, /^421 4\.3\.0 [^\r]*\r\n$/, 'no 5yz stands where the reply to the message is due');
  t.equal(rig.ended, 'backend_gone');
});

test('bytes behind STARTTLS are refused when the replies before are out, and TLS does not begin', async (t) => {
  for (const starttls of ['offer', 'pass'] as const) {
    const rig = new GateRig({ starttls }).greeted().client('NOOP\r\nSTARTTLS\r\n').client('NOOP\r\n');
    t.same([rig.toClient, rig.ended], ['', undefined]);
    rig.backend(OK);
    t.match(rig.toClient, /^250 ok\r\n554 5\.5\.0 [^\r]*\r\n$/);
    t.equal(rig.ended, 'starttls_pipelined');
    t.equal(rig.toBackend, 'NOOP\r\n');
  }
  const passed = new GateRig({ starttls: 'pass' }).greeted().client('STARTTLS\r\n').client('NOOP\r\n');
  t.match(passed.toClient, /^554 /, "in place of the backend's reply, which would begin TLS");
  t.equal(passed.ended, 'starttls_pipelined');
});

test('a refusal waits for no reply with which the session would go on', async (t) => {
  const flood = 'NOOP\r\n'.repeat(20_000);
  const rig = new GateRig({ auth: 'withhold' }).greeted().client(`NOOP\r\nDATA\r\n${flood}`);
  t.same([rig.toClient, rig.ended], ['', undefined]);
  rig.backend(OK);
  t.match(
    rig.toClient,
    /^250 ok\r\n421 4\.5\.3 [^\r]*\r\n$/,
    'no 354: there is nobody to read what follows it',
  );
  t.equal(rig.ended, 'pipeline_too_deep');
});

test('a gate that was stopped says nothing more, not even of what it has begun', async (t) => {
  const stopping = new GateRig({ auth: 'withhold' }, () => stopping.gate.stop())
    .backend('220 mta\r\n')
    .forget();
  stopping.client('XCLIENT\r\nNOOP\r\nNOOP\r\nXCLIENT\r\nMAIL FROM:<a@b>\r\n');
  t.equal(stopping.toBackend, 'NOOP\r\n', 'stopped by what the first NOOP led to');
  t.match(stopping.toClient, /^550 [^\r]*\r\n$/);
  const later = new GateRig().greeted().client('NOOP\r\nSTARTTLS\r\n');
  later.gate.stop();
  later.backend(`${OK}hello\r\n`).client('NOOP\r\n').gate.backendEnds();
  t.same([later.toClient, later.ended], ['', undefined]);
  t.equal(later.mailBegan, false);
});
