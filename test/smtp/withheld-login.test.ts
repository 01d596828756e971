/** Where logins are withheld (auth = "tls", "strong-tls"), no command and no byte of content opens a way to one. */
import { test } from 'tap';
import { cuts, GateRig } from '../support/gate-rig.js';

const LOGIN = 'AUTH PLAIN AHVzZXIAc2VjcmV0\r\n';
const ENVELOPE = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n';
const OK = '250 ok\r\n';

/** In clear, or inside TLS that is too weak for a password. */
const PLACES = [{ auth: 'withhold' }, { auth: 'withhold', starttls: 'active', greeting: 'swallow' }] as const;

/** A gate that withholds logins, with EHLO done. */
function withheld(place: (typeof PLACES)[number] = PLACES[0], keywords = ['CHUNKING']): GateRig {
  return new GateRig(place).greeted(keywords);
}

for (const place of PLACES) {
  const name = 'starttls' in place ? 'inside weak TLS' : 'in clear';

  test(`${name}, AUTH is refused at every point of a session`, async (t) => {
    const rig = withheld(place);
    const refused = (when: string): void => {
      rig.forget().client(LOGIN);
      t.match(rig.toClient, /^538 5\.7\.11 proxy\.example [^\r]*\r\n$/, when);
      t.equal(rig.toBackend, '', 'the password goes no further');
    };
    refused('after EHLO');
    rig.client('MAIL FROM:<a@b.example>\r\n').backend(OK);
    refused('after MAIL');
    rig.client('RSET\r\n').backend(OK);
    refused('after RSET');
    rig.client(`${ENVELOPE}DATA\r\n`).backend(OK).backend(OK).backend('354 go\r\n');
    rig.client('text\r\n.\r\n').backend(OK);
    refused('after a message');
    rig.client(`${ENVELOPE}BDAT 4 LAST\r\ntext`).backend(OK).backend(OK).backend(OK);
    refused('after a message in chunks');
    rig.client('DATA\r\n').backend('503 5.5.1 no\r\n');
    refused('after DATA that was refused');
    rig.client('HELO again\r\n').backend(OK);
    refused('after HELO');
    t.equal(rig.ended, undefined, 'bytes never pass unread');
  });

  test(`${name}, a whole message passes byte for byte, at every split`, async (t) => {
    const content = `Subject: x\r\n\r\n${LOGIN}STARTTLS\r\n..\r\nbare\nLF and \0 and \rCR\r\n`;
    for (const pieces of cuts(`${content}.\r\nNOOP\r\n`)) {
      const rig = withheld(place).client(`${ENVELOPE}DATA\r\n`);
      rig.backend(OK).backend(OK).backend('354 go\r\n').forget();
      for (const piece of pieces) rig.client(piece);
      t.equal(rig.toBackend, `${content}.\r\nNOOP\r\n`);
      rig.backend('250 queued\r\n').backend(OK);
      t.equal(rig.toClient, `250 queued\r\n${OK}`);
    }
  });
}

test('content sent before the reply to DATA is content after 354, and commands after a refusal', async (t) => {
  for (const pieces of cuts(`DATA\r\n${LOGIN}.\r\n`)) {
    const accepted = withheld();
    for (const piece of pieces) accepted.client(piece);
    accepted.backend('354 go\r\n');
    t.equal(accepted.toBackend, `DATA\r\n${LOGIN}.\r\n`);
    const refused = withheld();
    for (const piece of pieces) refused.client(piece);
    t.equal(refused.toBackend, 'DATA\r\n', 'nothing goes on before that is clear');
    refused.backend('503 5.5.1 no\r\n');
    t.equal(refused.toBackend, 'DATA\r\n');
    t.match(refused.toClient, /^503 5\.5\.1 no\r\n538 .*\r\n502 .*\r\n$/);
  }
});

test('a chunk has its bytes also where the backend refuses it', async (t) => {
  for (const pieces of cuts(`BDAT ${LOGIN.length}\r\n${LOGIN}${LOGIN}NOOP\r\n`)) {
    const rig = withheld();
    for (const piece of pieces) rig.client(piece);
    rig.backend('503 5.5.1 no\r\n').backend(OK);
    t.equal(rig.toBackend, `BDAT ${LOGIN.length}\r\n${LOGIN}NOOP\r\n`);
    t.match(rig.toClient, /^503 5\.5\.1 no\r\n538 .*\r\n250 ok\r\n$/);
  }
});

test('BDAT that a backend could take for a command without a chunk ends the connection', async (t) => {
  const chunk = `BDAT ${LOGIN.length}\r\n${LOGIN}`;
  const notOffered = withheld(PLACES[0], ['PIPELINING']).client(chunk);
  const afterHelo = withheld().client('HELO c\r\n').backend(OK).forget().client(chunk);
  const unread = withheld().client(`BDAT ${LOGIN.length} MAYBE\r\n${LOGIN}`);
  const early = withheld().client(`EHLO c\r\n`).forget().client(chunk).backend(OK);
  for (const rig of [notOffered, afterHelo, unread, early]) {
    t.equal(rig.ended, 'chunk_unclear');
    t.equal(rig.toBackend, '');
    t.match(rig.toClient, /(?:^|\n)554 5\.5\.0 [^\r]*\r\n$/);
  }
});

test('an end of content on which servers differ waits for the reply of the backend', async (t) => {
  for (const end of ['\n.\n', '\n.\r\n', '\r\n.\n']) {
    const content = `old device${end}`;
    const rig = withheld().client('DATA\r\n').backend('354 go\r\n').forget().client(content);
    t.equal(rig.toBackend, content);
    rig.backend('250 queued\r\n').client(LOGIN);
    t.match(rig.toClient, /^250 queued\r\n538 /, 'the backend saw the end: what follows is a command');
    const strict = withheld().client('DATA\r\n').backend('354 go\r\n').client(content).client('more');
    t.equal(strict.ended, 'content_end_unclear', 'the backend may not have seen it');
    const atOnce = withheld()
      .client('DATA\r\n')
      .backend('354 go\r\n')
      .forget()
      .client(content + LOGIN);
    t.equal(atOnce.ended, 'content_end_unclear');
    t.equal(atOnce.toBackend, '', 'nor does the backend get a message that the client takes for refused');
    t.match(atOnce.toClient, /^554 5\.6\.0 /);
  }
});

test('messages may follow one another without waiting for replies (RFC 2920, RFC 3030)', async (t) => {
  const second = `${ENVELOPE}BDAT 8\r\nhalf`;
  const rig = withheld().client('DATA\r\n').backend('354 go\r\n').forget();
  rig.client(`one\r\n.\r\n${second}`).backend('250 queued\r\n').backend(OK).backend(OK);
  t.equal(rig.toBackend, `one\r\n.\r\n${second}`);
  rig.client(`full${ENVELOPE}DATA\r\ntwo\r\n.\r\n`).backend('250 chunk\r\n').backend(OK).backend(OK);
  t.equal(rig.toBackend, `one\r\n.\r\n${second}full${ENVELOPE}DATA\r\n`);
  rig.backend('354 go\r\n').backend('250 queued\r\n');
  t.equal(rig.toClient, `250 queued\r\n${OK}${OK}250 chunk\r\n${OK}${OK}354 go\r\n250 queued\r\n`);
  t.equal(rig.ended, undefined);
});

test('a backend that replies in the middle of content ends the connection, with its reply', async (t) => {
  const rig = withheld().client('DATA\r\n').backend('354 go\r\n').forget();
  rig.client('half a mess').backend('552 5.3.4 too big\r\n');
  t.equal(rig.toClient, '552 5.3.4 too big\r\n');
  t.equal(rig.ended, 'reply_in_content');
});

test('commands that are no plain SMTP, and may be a login by another name, go no further', async (t) => {
  for (const line of [
    'X-EXPS LOGIN',
    'AUTH=PLAIN x',
    'XEXCH50 4 2',
    'BURL imap://x LAST',
    'TURN',
    'ATRN',
    '',
  ]) {
    const rig = withheld().client(`${line}\r\n`);
    t.match(rig.toClient, /^502 5\.5\.1 /, line);
    t.equal(rig.toBackend, '');
  }
  const lines = ['AUTH LOGIN', 'AUTH=LOGIN', 'X-EXPS NTLM', 'XEXCH50', 'BURL imap', 'SIZE 1', 'CHUNKING'];
  const ehlo = new GateRig(PLACES[0]).backend('220 mta\r\n').client('EHLO c\r\n').forget();
  ehlo.backend(`250-mta\r\n${lines.map((line) => `250-${line}\r\n`).join('')}250 8BITMIME\r\n`);
  t.equal(ehlo.toClient, '250-mta\r\n250-SIZE 1\r\n250-CHUNKING\r\n250-8BITMIME\r\n250 STARTTLS\r\n');
});

test('a backend that asks for more behind a command that has nothing more is not followed', async (t) => {
  const rig = withheld().client('NOOP\r\n').backend('334 UGFzc3dvcmQ6\r\n');
  t.equal(rig.ended, 'reply_unexpected');
  t.match(rig.toClient, /^421 /);
  t.equal(withheld().client('DATA\r\n').backend('250 what\r\n').ended, 'reply_unexpected');
});

test('STARTTLS is answered between transactions, and content may speak of it', async (t) => {
  const rig = withheld().client(`${ENVELOPE}DATA\r\n`).backend(OK).backend(OK).backend('354 go\r\n');
  rig.client('STARTTLS\r\n.\r\n').backend(OK);
  t.equal(rig.ended, undefined);
  rig.client('STARTTLS\r\n');
  t.equal(rig.ended, 'start_tls');
});

test('an envelope of a thousand recipients may be sent without waiting, but not one without end', async (t) => {
  const recipients = (count: number): string => 'RCPT TO:<c@d.example>\r\n'.repeat(count);
  const rig = withheld().client(`MAIL FROM:<a@b>\r\n${recipients(1000)}DATA\r\n`);
  t.equal(rig.ended, undefined);
  t.equal(rig.toBackend.length, `MAIL FROM:<a@b>\r\n${recipients(1000)}DATA\r\n`.length);
  const endless = withheld()
    .client(`MAIL FROM:<a@b>\r\n${recipients(3000)}`)
    .backend(OK.repeat(2000));
  t.equal(endless.ended, 'pipeline_too_deep');
});

test('when mail has begun, the gate reports it once', async (t) => {
  const rig = withheld();
  t.equal(rig.mailBegan, false);
  rig.client(ENVELOPE).backend(OK).backend(OK).client('RSET\r\n').backend(OK).client(ENVELOPE);
  t.equal(rig.mailBegan, true);
  t.equal(rig.gate.mailBegan, true);
});

test('a client that closes while DATA is unanswered has all of it passed on first', async (t) => {
  const rig = withheld().client('DATA\r\ntext\r\n.\r\n');
  t.equal(rig.gate.holdsBack, true);
  rig.backend('354 go\r\n');
  t.equal(rig.gate.holdsBack, false);
});
