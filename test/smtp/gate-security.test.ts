/** What an attacker would have the gate read otherwise than the backend, or across the beginning of TLS. */
import { test } from 'tap';
import type { GateRefusal } from '../../src/smtp/gate-refusals.js';
import { Gate } from '../../src/smtp/gate.js';

interface Dialogue {
  readonly gate: Gate;
  readonly refusals: GateRefusal[];
  readonly toBackend: () => string;
  readonly toClient: () => string;
  readonly started: () => boolean;
}

/** A gate between a client and a backend that has greeted. */
function greeted(starttls: 'offer' | 'active'): Dialogue {
  const refusals: GateRefusal[] = [];
  const said = { backend: '', client: '' };
  let started = false;
  const gate = new Gate(
    { hostname: 'proxy.example', starttls, greeting: 'relay', auth: 'offer' },
    {
      toClient: (bytes) => (said.client += Buffer.from(bytes).toString('latin1')),
      toBackend: (bytes) => (said.backend += Buffer.from(bytes).toString('latin1')),
      mayStartTls: () => true,
      starttlsDeclined: () => undefined,
      startTls: () => (started = true),
      passThrough: () => undefined,
      refuse: (reason) => refusals.push(reason),
    },
  );
  gate.fromBackend(Buffer.from('220 backend.example ESMTP\r\n'));
  return {
    gate,
    refusals,
    toBackend: () => said.backend,
    toClient: () => said.client,
    started: () => started,
  };
}

test('a line with a bare newline is refused before anything is read into it (SMTP smuggling)', async (t) => {
  for (const line of [
    'EHLO a.example\nMAIL FROM:<a@b.example>\r\n',
    'EHLO a.example\rSTARTTLS\r\n',
    'NOOP\n',
    'NOOP\r\r\n',
  ]) {
    const { gate, refusals, toBackend } = greeted('offer');
    gate.fromClient(Buffer.from(line));
    t.same(refusals, ['bare_newline'], JSON.stringify(line));
    t.equal(toBackend(), '', 'the backend hears nothing of it');
  }
});

test('what comes behind STARTTLS in clear is refused, and TLS does not begin (CVE-2011-0411)', async (t) => {
  for (const rest of ['MAIL FROM:<a@b.example>\r\n', 'R', '\x16\x03\x01']) {
    const { gate, refusals, started, toBackend } = greeted('offer');
    gate.fromClient(Buffer.from('EHLO a.example\r\n'));
    gate.fromBackend(Buffer.from('250-backend.example\r\n250 SIZE\r\n'));
    gate.fromClient(Buffer.from(`STARTTLS\r\n${rest}`, 'latin1'));
    t.same(refusals, ['starttls_pipelined'], JSON.stringify(rest));
    t.equal(started(), false);
    t.equal(toBackend(), 'EHLO a.example\r\n');
  }
});

test('inside TLS neither STARTTLS nor a login bound to a channel that is not theirs is offered', async (t) => {
  const { gate, toClient } = greeted('active');
  gate.fromClient(Buffer.from('EHLO a.example\r\n'));
  gate.fromBackend(
    Buffer.from('250-backend.example\r\n250-STARTTLS\r\n250-AUTH PLAIN SCRAM-SHA-256-PLUS\r\n250 SIZE\r\n'),
  );
  t.match(toClient(), /^250-AUTH PLAIN\r$/m);
  t.notMatch(toClient(), /STARTTLS|-PLUS/);
});
