/** What `report` finds in the logs of Postfix and Exim: lines as these programs wrote them. */
import { test } from 'tap';
import { LogReader } from '../../src/report/log-reader.js';
import { MailLog } from '../../src/report/mail-log.js';
import { Tally, type Report } from '../../src/report/tally.js';
import { textView } from '../../src/report/text-view.js';

function reportOf(lines: readonly string[]): Report {
  const tally = new Tally({ since: undefined, until: undefined });
  const reader = new LogReader();
  for (const line of lines) tally.add(reader.read(Buffer.from(line)));
  return tally.report(0);
}

/** Postfix 3.7 and 3.10. */
const POSTFIX = `
postfix/postfix-script[21876]: starting the Postfix mail system
postfix/smtpd[1]: connect from ups.example[192.0.2.1]
postfix/smtpd[1]: SSL_accept error from ups.example[192.0.2.1]: -1
postfix/smtpd[2]: connect from unknown[192.0.2.2]
postfix/smtpd[1]: warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2226:
postfix/smtpd[1]: lost connection after STARTTLS from ups.example[192.0.2.1]
postfix/smtpd[2]: Anonymous TLS connection established from unknown[192.0.2.2]: TLSv1 with cipher ECDHE-RSA-AES256-SHA (256/256 bits)
postfix/smtpd[1]: disconnect from ups.example[192.0.2.1] ehlo=1 starttls=0/1 commands=1/2
postfix/smtpd[2]: disconnect from unknown[192.0.2.2] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7
postfix/submission/smtpd[3]: connect from unknown[2001:db8::3]
postfix/submission/smtpd[3]: SSL_accept error from unknown[2001:db8::3]: lost connection
postfix/submission/smtpd[3]: disconnect from unknown[2001:db8::3] ehlo=1 starttls=0/1 commands=1/2
postfix/smtpd[2]: connect from new.example[192.0.2.4]
postfix/smtpd[2]: Untrusted TLS connection established from new.example[192.0.2.4]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256
postfix/smtpd[2]: disconnect from new.example[192.0.2.4] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7
postfix/smtpd[2]: connect from clear.example[192.0.2.5]
postfix/smtpd[2]: disconnect from clear.example[192.0.2.5] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5
postfix/smtpd[2]: connect from scan.example[192.0.2.6]
postfix/smtpd[2]: disconnect from scan.example[192.0.2.6] ehlo=1 quit=1 commands=2
postfix/smtp[9]: Untrusted TLS connection established to mx.example[192.0.2.7]:25: TLSv1 with cipher AES128-SHA (128/128 bits)
postfix/qmgr[8]: 4F1: removed`
  .trim()
  .split('\n');

const EXPECTED = {
  connections: 5,
  withTls: 2,
  old: 1,
  plaintext: 1,
  senders: [
    { address: '192.0.2.2', version: 'TLSv1', tls: { suite: 'ECDHE-RSA-AES256-SHA' }, needs: ['tls1_0'] },
  ],
  lines: { broken: 0, text: 0, mailLog: 5 },
};

test("Postfix's log: what was agreed on, who failed with which error, who mailed in clear", async (t) => {
  const dates = {
    'dates without a year': 'Nov 24 08:00:00 mx ',
    'dates in RFC 3339': '2025-11-24T08:00:00.123456+01:00 mx ',
    'a priority in front': '<22>Nov  4 08:00:00 mx ',
  };
  for (const [name, prefix] of Object.entries(dates)) {
    const report = reportOf(POSTFIX.map((line) => prefix + line));
    t.match(report, EXPECTED, name);
    t.match(
      new Set(report.failures.map(({ reason }) => reason)),
      new Set(['no_shared_cipher', 'lost_connection']),
    );
    t.match(
      report.failures.find(({ reason }) => reason === 'no_shared_cipher'),
      { connections: 1, senders: 1, busiest: [{ address: '192.0.2.1', helo: 'ups.example' }] },
    );
  }
  t.match(
    reportOf(['2025-11-24T00:30:00.123456+01:00 mx '].flatMap((at) => POSTFIX.map((line) => at + line))),
    {
      first: '2025-11-23T23:30:00.123Z',
    },
  );
});

test("Postfix's lines are found in the journal too", async (t) => {
  const entries = POSTFIX.map((line) => {
    const [, program, pid, message] = /^(\S+)\[(\d+)\]: (.*)$/.exec(line)!;
    return JSON.stringify({
      __REALTIME_TIMESTAMP: '1763971200000000',
      SYSLOG_IDENTIFIER: program,
      _PID: pid,
      MESSAGE: message,
    });
  });
  t.match(reportOf(entries), { ...EXPECTED, first: '2025-11-24T08:00:00.000Z' });
});

/** Exim 4.96 with GnuTLS, and with OpenSSL. */
const EXIM = `
2026-11-24 08:00:00 exim 4.96 daemon started: pid=1, -q1m, listening for SMTP on [127.0.0.1]:25
2026-11-24 08:00:00 TLS error on connection from (old.example) [192.0.2.1] (gnutls_handshake): A packet with illegal or unsupported version was received.
2026-11-24 08:00:01 TLS error on connection from ups.example (ups) [192.0.2.2]:40000 I=[192.0.2.99]:25 (SSL_accept): error:0A0000C1:SSL routines::no shared cipher
2026-11-24 08:00:02 1xWkMd-00000N-0L <= a@b.example H=(n.example) [192.0.2.3] P=esmtps X=TLS1.0:ECDHE_SECP256R1__RSA_SHA1__AES_256_CBC__SHA1:256 CV=no S=467 id=x
2026-11-24 08:00:02 1xWkMd-00000N-0L => r <r@new.example> R=here T=maildir
2026-11-24 08:00:02 1xWkMd-00000N-0L Completed
2026-11-24 08:00:03 1xWkMd-00000P-0g <= a@b.example H=mx.example (n.example) [192.0.2.4]:5000 P=esmtps X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no S=470
2026-11-24 08:00:04 1xWkMd-00000Q-0g <= a@b.example H=mx.example [192.0.2.5] P=smtps X=TLSv1:AES256-SHA:256 CV=no S=470
2026-11-24 08:00:05 1xWkMd-00000T-0v <= a@b.example H=(n.example) [192.0.2.6] P=esmtp S=416 id=x
2026-11-24 08:00:06 1xWkMd-00000U-0v <= root@mx.example U=root P=local S=416`
  .trim()
  .split('\n');

test("Exim's log: what was agreed on, who failed with which error, who mailed in clear", async (t) => {
  const report = reportOf(EXIM);
  t.match(report, { connections: 6, withTls: 3, old: 2, plaintext: 1, lines: { broken: 0, mailLog: 6 } });
  t.match(report.senders.map(({ address, version, helo }) => [address, version, helo]).sort(), [
    ['192.0.2.3', 'TLSv1', 'n.example'],
    ['192.0.2.5', 'TLSv1', 'mx.example'],
  ]);
  t.match(
    report.failures.map(({ reason, busiest: [first] }) => [reason, first?.address, first?.helo]).sort(),
    [
      ['a_packet_with_illegal_or_unsupported_version_was_received', '192.0.2.1', 'old.example'],
      ['no_shared_cipher', '192.0.2.2', 'ups'],
    ],
  );
});

test('the text report names the senders that failed, by reason, and what such a log lacks', async (t) => {
  const failing = Array.from({ length: 14 }, (_, index) => [
    `Nov 24 08:00:00 mx postfix/smtpd[7]: SSL_accept error from h${index}.example[192.0.2.${index}]: -1`,
    'Nov 24 08:00:00 mx postfix/smtpd[7]: warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:x.c:1:',
    `Nov 24 08:00:00 mx postfix/smtpd[7]: disconnect from h${index}.example[192.0.2.${index}] ehlo=1`,
  ]);
  const text = textView(reportOf(failing.flat()), { width: 100, color: false, top: 20 });
  t.match(text, /14 +handshake_failed +no_shared_cipher +14 senders\n +h0\.example \[192\.0\.2\.0\], .*…/);
  t.match(
    text.replace(/\s+/g, ' '),
    /14 connections from the log of Postfix or Exim, which does not have the hellos/,
  );
});

test('what is written into a log by a peer stays text', async (t) => {
  const report = reportOf([
    'Nov 24 08:00:00 mx postfix/smtpd[7]: SSL_accept error from \x1b[2J[192.0.2.1]: \x1b[31mred',
    'Nov 24 08:00:00 mx postfix/smtpd[7]: disconnect from \x1b[2J[192.0.2.1] ehlo=1',
    `Nov 24 08:00:00 mx postfix/smtpd[7]: ${'['.repeat(50_000)}`,
    `2026-11-24 08:00:00 TLS error on connection from ${'('.repeat(50_000)}`,
    `2026-11-24 08:00:00 x <= ${'H='.repeat(50_000)}`,
  ]);
  t.notMatch(JSON.stringify(report), /\\u001b/);
});

test("a long line of Exim's takes time in proportion to its length, whatever is in it", async (t) => {
  const log = new MailLog(Date.now());
  for (const part of ['[a]', '[a] ', '(a) [', 'a [b]:1 (SSL_accept', 'error:A:', ' H=(', ' H=a[', ' X=a']) {
    const long = part.repeat(250_000 / part.length);
    const at = '2026-11-24 08:00:00';
    t.equal(log.read(`${at} TLS error on connection from ${long}`), 'nothing');
    t.match(log.read(`${at} TLS error on connection from [192.0.2.1] (SSL_accept): ${long}`), {
      address: '192.0.2.1',
      outcome: 'handshake_failed',
    });
    t.match(log.read(`${at} x <= a@b.example H=[192.0.2.1] P=esmtp ${long}`), { address: '192.0.2.1' });
    log.read(`${at} x <= a@b.example P=esmtp H=${long}`);
  }
});
