/**
 * Commands that end with LF alone. Old devices and scripts send them; the backend gets CR LF, so that it reads the same
 * commands as the gate, whatever it thinks of LF.
 */
import { test } from 'tap';
import { cuts, GateRig } from '../support/gate-rig.js';

test('commands that end with LF alone reach the backend with CR LF, in however many pieces they come', async (t) => {
  for (const pieces of cuts('EHLO old.example\nNOOP\r\nVRFY x\n')) {
    const rig = new GateRig().backend('220 mta\r\n');
    for (const piece of pieces) rig.client(piece);
    t.equal(rig.toBackend, 'EHLO old.example\r\nNOOP\r\nVRFY x\r\n', JSON.stringify(pieces));
    t.equal(rig.gate.heloName, 'old.example');
  }
});

test('LF alone hides no command: what follows it is read as the next one', async (t) => {
  const rig = new GateRig({ auth: 'withhold' }).greeted();
  rig.client('NOOP\nAUTH PLAIN AHVzZXIAc2VjcmV0\nXCLIENT ADDR=127.0.0.1\n').backend('250 ok\r\n');
  t.equal(rig.toBackend, 'NOOP\r\n');
  t.match(rig.toClient, /^250 ok\r\n538 .*\r\n550 .*\r\n$/);
});

test('STARTTLS may end with LF alone, and nothing may follow it', async (t) => {
  t.equal(new GateRig().greeted().client('STARTTLS\n').ended, 'start_tls');
  t.equal(new GateRig().greeted().client('STARTTLS\nNOOP\n').ended, 'starttls_pipelined');
});

test('once bytes pass unread, none is changed', async (t) => {
  const rig = new GateRig().greeted().client('MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\n');
  t.equal(rig.ended, 'pass_through');
  t.equal(rig.toBackend, 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\nDATA\n', 'only the command that was read');
});

test('the content of mail that the gate reads keeps its bare LFs', async (t) => {
  const rig = new GateRig({ auth: 'withhold' }).greeted().client('DATA\n').backend('354 go\r\n').forget();
  rig.client('Subject: x\n\nline\n.dot\n..\r\n.\r\n');
  t.equal(rig.toBackend, 'Subject: x\n\nline\n.dot\n..\r\n.\r\n');
});

test('with bare-lf = "reject", LF alone gets 500 and the end of the connection', async (t) => {
  const rig = new GateRig({ bareLf: 'reject' }).greeted().client('NOOP\nQUIT\n');
  t.equal(rig.ended, 'bare_newline');
  t.match(rig.toClient, /^500 5\.5\.2 proxy\.example /);
  t.equal(rig.toBackend, '');
});

test('a line is as long with LF as with CR LF', async (t) => {
  t.equal(new GateRig().greeted().client(`NOOP ${'x'.repeat(2041)}\n`).ended, undefined);
  t.equal(new GateRig().greeted().client(`NOOP ${'x'.repeat(2042)}\n`).ended, 'line_too_long');
});
