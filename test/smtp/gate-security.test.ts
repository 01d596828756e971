/** What an attacker would have the gate read otherwise than the backend, or across the beginning of TLS. */
import { test } from 'tap';
import { GateRig } from '../support/gate-rig.js';

test('a command with a lone CR or NUL is refused before anything is read into it (SMTP smuggling)', async (t) => {
  for (const bareLf of ['accept', 'reject'] as const) {
    for (const line of [
      'EHLO a.example\rSTARTTLS\r\n',
      'NOOP\r\r\n',
      'NOOP\rX\n',
      'NO\0OP\r\n',
      'NO\0OP\n',
    ]) {
      const rig = new GateRig({ bareLf }).greeted().client(line);
      t.match(rig.ended, /^(?:bare_newline|nul_byte)$/, JSON.stringify(line));
      t.equal(rig.toBackend, '', 'the backend gets nothing of it');
    }
  }
});

test('what comes behind STARTTLS in clear is refused, and TLS does not begin (CVE-2011-0411)', async (t) => {
  for (const end of ['\r\n', '\n']) {
    for (const rest of ['MAIL FROM:<a@b.example>\r\n', 'NOOP\n', 'R', '\n', '\x16\x03\x01']) {
      const rig = new GateRig().greeted().client(`STARTTLS${end}${rest}`);
      t.equal(rig.ended, 'starttls_pipelined', JSON.stringify(end + rest));
      t.equal(rig.toBackend, '');
    }
  }
});

test('inside TLS neither STARTTLS nor a login bound to a channel that is not theirs is offered', async (t) => {
  const rig = new GateRig({ starttls: 'active' }).backend('220 mta\r\n').client('EHLO a.example\r\n');
  rig.backend('250-mta\r\n250-STARTTLS\r\n250-AUTH PLAIN SCRAM-SHA-256-PLUS\r\n250 SIZE\r\n');
  t.match(rig.toClient, /^250-AUTH PLAIN\r$/m);
  t.notMatch(rig.toClient, /STARTTLS|-PLUS/);
  rig.forget().client('EHLO b.example\r\nSTARTTLS\r\n');
  rig.backend('250-mta\r\n250-STARTTLS\r\n250-XCLIENT ADDR\r\n250 AUTH SCRAM-SHA-256-PLUS PLAIN\r\n');
  t.match(rig.toClient, /^250-mta\r\n250 AUTH PLAIN\r\n503 5\.5\.1 /, 'nor by a second EHLO');
  t.notMatch(rig.toBackend, /STARTTLS/);
});
