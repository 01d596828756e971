/** What an admin reads who got the configuration wrong: the exact words, with the place and the way out. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { ConfigError, loadConfig, parseConfig } from '../../src/config/load.js';
import { LISTS, SECTIONS } from '../../src/config/schema.js';

/** A whole configuration; `NAME = …` lines of a test replace or join what is here. */
const GOOD = `[[listener]]
name = "mx"
address = "[::]:25"
mode = "starttls"
backend = "mta"
[[backend]]
name = "mta"
address = "127.0.0.1:10025"
identity = "proxy-v2"
`;

/** What is printed for this text, without the file's name, which starts each line. */
function complaints(source: string, credentials?: string): string[] {
  try {
    parseConfig(source, 'f.toml', credentials);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((line) => line.replace(/^f\.toml:?/, ''));
  }
}

/** What is printed for a file that holds these bytes. */
function complaintsAboutFile(path: string): string {
  try {
    loadConfig(path);
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replaceAll(path, 'FILE');
  }
}

const KEYS_OF_LOG = Object.keys(SECTIONS.log).join(', ');
const KNOWN_TABLES = [
  ...Object.keys(SECTIONS).map((name) => `[${name}]`),
  ...Object.keys(LISTS).map((name) => `[[${name}]]`),
].join(', ');
const LINE_OF_TAIL = GOOD.split('\n').length;
/** Lines behind the good part; `#` stands for the number of the first of them. */
const TAILS: Record<string, [tail: string, ...said: string[]]> = {
  'a misspelt key': [
    '[tls]\nprofil = "legacy"',
    `${LINE_OF_TAIL + 1}: tls.profil: unknown key; did you mean profile?`,
  ],
  'a key nobody knows': [
    '[log]\ncolour = true',
    `${LINE_OF_TAIL + 1}: log.colour: unknown key; the keys are ${KEYS_OF_LOG}`,
  ],
  'a key that objects of JavaScript have by themselves': [
    '[log]\nconstructor = 1\n"__proto__" = 2\ntoString.x = 3',
    `${LINE_OF_TAIL + 1}: log.constructor: unknown key; the keys are ${KEYS_OF_LOG}`,
    `${LINE_OF_TAIL + 2}: log.__proto__: unknown key; the keys are ${KEYS_OF_LOG}`,
    `${LINE_OF_TAIL + 3}: log.toString: unknown key; the keys are ${KEYS_OF_LOG}`,
  ],
  'a key below the wrong table': [
    '[tls]\nhostname = "x"',
    `${LINE_OF_TAIL + 1}: tls.hostname: is not a key of [tls]; write it below [server]`,
  ],
  'a store without the keys that seal': [
    '[session-store]\nurl = "redis://127.0.0.1"',
    `${LINE_OF_TAIL + 1}: session-store.url: needs ticket-key-file in [tls], because its keys also encrypt stored sessions`,
  ],
  'a store that handshakes would wait for too long': [
    '[session-store]\ntimeout = "1s"',
    `${LINE_OF_TAIL + 1}: session-store.timeout: found 1000 ms; allowed are at most 200 ms, because a full handshake is faster`,
  ],
  'a password in the URL of a store, which is not repeated': [
    '[session-store]\nurl = "redis://user:secret@127.0.0.1:6379"',
    `${LINE_OF_TAIL + 1}: session-store.url: is not a URL such as "redis://127.0.0.1:6379/0", or "rediss://user@store.example:6380" for TLS; without a password, for which there is password-file`,
  ],
  'a password in a URL without quotes, which is not repeated': [
    '[session-store]\nurl = redis://:hunter2@127.0.0.1',
    `${LINE_OF_TAIL + 1}: is not TOML: Unexpected character; found: url`,
  ],
  'a password in an inline table that is not TOML': [
    'session-store = { url = redis://:hunter2@127.0.0.1 }',
    `${LINE_OF_TAIL}: is not TOML: Unexpected character; found: session-store`,
  ],
  'a password in a line of which only the beginning was meant': [
    '[tls]\nrc4 = true url = "redis://:hunter2@127.0.0.1"',
    `${LINE_OF_TAIL + 1}: is not TOML: Must be a newline; found: rc4`,
  ],
  'a misspelt table': ['[limit]\n', `${LINE_OF_TAIL}: limit: unknown table; did you mean [limits]?`],
  'a table nobody knows': [
    '[[virtual-host]]',
    `${LINE_OF_TAIL}: virtual-host: unknown table; the tables are ${KNOWN_TABLES}`,
  ],
  'a table that there is one of, as a list': [
    '[[tls]]\nprofile = "legacy"',
    `${LINE_OF_TAIL}: tls: found a list of tables; write [tls], because there can be only one`,
  ],
  'a list as one table': [
    '[certificate]\nchain = "c"',
    `${LINE_OF_TAIL}: certificate: found a table; write [[certificate]], because there can be several`,
  ],
  'a word that is not one of those allowed': [
    '[tls]\nprofile = "Ancient"',
    `${LINE_OF_TAIL + 1}: tls.profile: found "Ancient"; allowed: "intermediate", "legacy", "ancient"; did you mean "ancient"?`,
  ],
  'a number in quotes': [
    '[limits]\nmax-connections = "2000"',
    `${LINE_OF_TAIL + 1}: limits.max-connections: found "2000"; allowed: a whole number from 1 up`,
  ],
  'numbers that are none': [
    '[limits]\nmax-connections = nan\nmax-connections-per-address = -inf\nstarttls-suppress-after = 1.5',
    `${LINE_OF_TAIL + 1}: limits.max-connections: found nan; allowed: a whole number from 1 up`,
    `${LINE_OF_TAIL + 2}: limits.max-connections-per-address: found -inf; allowed: a whole number from 1 up`,
    `${LINE_OF_TAIL + 3}: limits.starttls-suppress-after: found 1.5; allowed: a whole number from 0 up`,
  ],
  'a truth value in quotes': [
    '[tls]\nrc4 = "yes"',
    `${LINE_OF_TAIL + 1}: tls.rc4: found "yes"; allowed: true or false`,
  ],
  'a duration without its unit, and one that a timer cannot wait for': [
    '[limits]\nidle-timeout = 600\ncommand-timeout = "9999h"',
    `${LINE_OF_TAIL + 1}: limits.idle-timeout: found 600; allowed: a duration such as "500ms", "30s", "5m" or "1h"`,
    `${LINE_OF_TAIL + 2}: limits.command-timeout: found "9999h"; allowed: a duration such as "500ms", "30s", "5m" or "1h"`,
  ],
  'a date, a list and a table where a word belongs': [
    '[server]\nhostname = 1979-05-27 07:32:00\n[tls]\nprofile = ["legacy"]\n[log]\nlevel = {x = 1}',
    `${LINE_OF_TAIL + 1}: server.hostname: found a date; allowed: a string that is not empty`,
    `${LINE_OF_TAIL + 3}: tls.profile: found ["legacy"]; allowed: "intermediate", "legacy", "ancient"`,
    `${LINE_OF_TAIL + 5}: log.level: found a table; allowed: "trace", "debug", "info", "warn", "error"`,
  ],
  'a list with bad elements': [
    '[[policy]]\nnetworks = [\n  "192.0.2.0/24",\n  "192.0.2.0/33", # too long\n  "2001:db8::/32", "300.1.1.1",\n  7,\n]',
    `${LINE_OF_TAIL + 3}: policy[0].networks[1]: found "192.0.2.0/33"; allowed: a network or address such as "192.0.2.0/24", "2001:db8::/32" or "192.0.2.7"`,
    `${LINE_OF_TAIL + 4}: policy[0].networks[3]: found "300.1.1.1"; allowed: a network or address such as "192.0.2.0/24", "2001:db8::/32" or "192.0.2.7"`,
    `${LINE_OF_TAIL + 5}: policy[0].networks[4]: found 7; allowed: a network or address such as "192.0.2.0/24", "2001:db8::/32" or "192.0.2.7"`,
  ],
  'an IPv4 address in IPv6 with the prefix of IPv4': [
    '[[policy]]\nnetworks = ["::/0", "::ffff:10.0.0.0/104",\n  "::ffff:10.0.0.0/8"]',
    `${LINE_OF_TAIL + 2}: policy[0].networks[2]: found "::ffff:10.0.0.0/8"; allowed: a network or address such as "192.0.2.0/24", "2001:db8::/32" or "192.0.2.7"`,
  ],
  'a word where a list belongs': [
    '[[policy]]\nnetworks = "192.0.2.0/24"',
    `${LINE_OF_TAIL + 1}: policy[0].networks: found "192.0.2.0/24"; allowed: a list of networks such as ["192.0.2.0/24", "2001:db8::/32"]`,
  ],
  'control characters, which the message must not pass on to a terminal': [
    '[server]\nhostname = "x"\n[tls]\nprofile = "\\u001b[31m\\u009b\\u202e"',
    `${LINE_OF_TAIL + 3}: tls.profile: found "\\u001b[31m\\u009b\\u202e"; allowed: "intermediate", "legacy", "ancient"`,
  ],
  'a table that stands twice': [
    '[tls]\nrc4 = true\n[log]\n[tls]\nrc4 = false',
    `${LINE_OF_TAIL + 3}: tls is set twice, here and on line ${LINE_OF_TAIL}; keep one`,
  ],
  'a key that stands twice': [
    '[tls]\nrc4 = true\n"rc4" = false',
    `${LINE_OF_TAIL + 2}: tls.rc4 is set twice, here and on line ${LINE_OF_TAIL + 1}; keep one`,
  ],
  'the header of a table without its closing bracket': [
    '[tls\n# old clients\nprofile = "legacy"',
    `${LINE_OF_TAIL}: is not TOML: the table's bracket is not closed; found: [tls`,
  ],
  'lists in lists without end': [
    `[tls]\nrc4 = ${'['.repeat(5_000)}1${']'.repeat(5_000)}`,
    `${LINE_OF_TAIL + 1}: arrays and tables are nested more than 16 deep`,
  ],
  'a key of an array of tables that stands twice in its newest entry': [
    '[[backend]]\nname = "b"\nname = "c"',
    `${LINE_OF_TAIL + 2}: backend[1].name is set twice, here and on line ${LINE_OF_TAIL + 1}; keep one`,
  ],
  'a word without quotes': [
    '[tls]\nprofile = legacy # for now',
    `${LINE_OF_TAIL + 1}: is not TOML: Unexpected character; found: profile = legacy # for now; text goes in quotes: profile = "legacy"`,
  ],
};

for (const [what, [tail, ...said]] of Object.entries(TAILS)) {
  test(`the error names ${what}`, async (t) => {
    t.strictSame(
      complaints(`${GOOD}${tail}`).map((line) => line.trimStart()),
      said,
    );
  });
}

test('keys are found however they are written: dotted, quoted, inline, with tables and lists in between', async (t) => {
  const source = `tls.profile = "old"
limits."max-connections" = 0
server = { hostname = "", 'state-directory' = """
""", x = 1 }
policy = [
  { networks = [], # here
    refuse = 0 }, "x"]
listener = [{ name = """[tls]
rc4 = 3""", address = "a", mode = 'implicit', backend = "[log]" }]
[[backend]]
name = "mta"
address = "localhost:x"
identity = "proxy-v2"
`;
  t.strictSame(
    complaints(source).map((line) => line.split('; ')[0]),
    [
      '1: tls.profile: found "old"',
      '2: limits.max-connections: found 0',
      '3: server.hostname: found ""',
      '3: server.state-directory: found ""',
      '4: server.x: unknown key',
      '7: policy[0].refuse: found 0',
      '7: policy[1]: found "x"',
      '9: listener[0].address: found "a"',
      '12: backend[0].address: found "localhost:x"',
    ],
  );
});

test('a missing key is reported with its meaning, at the line of its table', async (t) => {
  t.strictSame(complaints('[[listener]]\nname = "mx"\n\n[[listener]]'), [
    '1: listener[0].address: is missing; allowed: an address and port such as "0.0.0.0:25", "[::]:25" or "mail.example.com:25". The address and port to listen on.',
    '1: listener[0].mode: is missing; allowed: "starttls", "implicit", "tcp". "starttls": plain SMTP until STARTTLS, as on ports 25 and 587. "implicit": SMTP with TLS from the first byte, as on port 465. "tcp": another protocol with TLS from the first byte, such as IMAPS, POP3S, LDAPS or HTTPS; oldhello does not read its content.',
    '1: listener[0].backend: is missing; allowed: a string that is not empty. The name of the backend for its connections.',
    '4: listener[1].name: is missing; allowed: a string that is not empty. The name of this listener in the log.',
    '4: listener[1].address: is missing; allowed: an address and port such as "0.0.0.0:25", "[::]:25" or "mail.example.com:25". The address and port to listen on.',
    '4: listener[1].mode: is missing; allowed: "starttls", "implicit", "tcp". "starttls": plain SMTP until STARTTLS, as on ports 25 and 587. "implicit": SMTP with TLS from the first byte, as on port 465. "tcp": another protocol with TLS from the first byte, such as IMAPS, POP3S, LDAPS or HTTPS; oldhello does not read its content.',
    '4: listener[1].backend: is missing; allowed: a string that is not empty. The name of the backend for its connections.',
  ]);
});

test('a key before the first table is reported with the table that it belongs to', async (t) => {
  t.strictSame(complaints(`hostname = "mail.example.com"\nname = "x"\n${GOOD}`), [
    '1: hostname: is outside of every table; write it below [server]',
    '2: name: is outside of every table; write it below [[listener]] or [[backend]]',
  ]);
});

test('text in the place of a table is not repeated, because there may be a password in it', async (t) => {
  t.strictSame(complaints(`session-store = "redis://:hunter2@127.0.0.1"\nlog = ["json"]\n${GOOD}`), [
    '1: session-store: found a string; write [session-store], because there can be only one',
    '2: log: found a list; write [log], because there can be only one',
  ]);
});

test('the address of a backend is text, or a list of texts', async (t) => {
  for (const bad of ['[{}]', '[{ path = "x" }]', '{ host = "x", port = 25 }', '["a:1", {}]', '[1]', '[]']) {
    t.match(
      complaints(GOOD.replace('"127.0.0.1:10025"', bad)),
      [/^8: backend\[0\]\.address(?:\[\d\])?: found .*; allowed: an address and port/],
      bad,
    );
  }
});

test('addresses that would never be reached are refused', async (t) => {
  for (const bad of [
    '25',
    ':25',
    '[::1]',
    '::1:25',
    '[::g]:25',
    '1.2.3:25',
    '300.1.1.1:25',
    'x:65536',
    '[a.b]:1',
  ]) {
    t.match(
      complaints(GOOD.replace('[::]:25', bad)),
      [/^3: listener\[0\]\.address: found .*; allowed: an address and port/],
      bad,
    );
  }
  for (const good of ['*:25'.replace('*', '0.0.0.0'), '[::1]:0', 'mail.example.com:25', 'localhost:25']) {
    t.strictSame(complaints(GOOD.replace('[::]:25', good)), [], good);
  }
});

test('a file that is not a configuration is reported with what it is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-config-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'f.toml');
  const withBytes = (bytes: Buffer | string): string => {
    writeFileSync(path, bytes);
    return complaintsAboutFile(path);
  };
  t.equal(complaintsAboutFile(path), 'FILE: cannot be read: there is no such file');
  t.equal(
    withBytes(''),
    'FILE: there is no [[listener]]; add one\nFILE: there is no [[backend]]; add one for your mail server',
  );
  t.equal(withBytes(`\uFEFF${GOOD}`), '', 'a byte order mark does no harm');
  t.equal(withBytes(GOOD.replaceAll('\n', '\r\n')), '', 'nor do the line ends of Windows');
  t.match(withBytes(`\uFEFF${GOOD}[tls]\r\nx = 1`), `FILE:${LINE_OF_TAIL + 1}: tls.x: unknown key`);
  t.equal(withBytes(Buffer.from(`\uFEFF${GOOD}`, 'utf16le')), 'FILE:1: is UTF-16; save it as UTF-8');
  t.equal(
    withBytes(Buffer.from('[server]\nhostname = "gr\xfcn"', 'latin1')),
    'FILE:2: has bytes that are not UTF-8; save the file as UTF-8',
  );
  t.equal(
    withBytes(Buffer.alloc(1024 * 1024 + 1, 0x0a)),
    'FILE: is larger than 1024 KiB; is it a configuration?',
  );
  t.equal(complaintsAboutFile('/dev/zero'), 'FILE: is larger than 1024 KiB; is it a configuration?');
  mkdirSync(join(folder, 'd'));
  t.equal(
    complaintsAboutFile(join(folder, 'd')),
    'FILE: cannot be read: it is a folder; name the file in it',
  );
  symlinkSync('loop', join(folder, 'loop'));
  t.match(complaintsAboutFile(join(folder, 'loop')), /^FILE: cannot be read: ELOOP/);
  if (process.getuid?.() !== 0) {
    chmodSync(path, 0);
    t.match(complaintsAboutFile(path), /^FILE: cannot be read: permission denied/);
  }
});

test('a credential of systemd is found in its folder, or missed in words', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-credentials-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'mail.key'), '');
  const certificate = (key: string): string => `${GOOD}[[certificate]]\nchain = "chain.pem"\nkey = "${key}"`;
  const config = parseConfig(certificate('credential:mail.key'), '/etc/oldhello/f.toml', folder);
  t.match(config.certificates, [{ chain: '/etc/oldhello/chain.pem', key: join(folder, 'mail.key') }]);
  const said = (key: string, credentials?: string): string | undefined => {
    return complaints(certificate(key), credentials)[0]?.replaceAll(folder, 'FOLDER');
  };
  const place = `${LINE_OF_TAIL + 2}: certificate[0].key`;
  t.equal(
    said('credential:mail.key'),
    `${place}: "credential:mail.key" is for systemd, which did not set $CREDENTIALS_DIRECTORY; add LoadCredential=mail.key:/path/to/the/file to the unit, or write a path here`,
  );
  t.equal(
    said('credential:mial.key', folder),
    `${place}: there is no credential "mial.key" in FOLDER; did you mean "credential:mail.key"?`,
  );
  t.equal(
    said('credential:other', folder),
    `${place}: there is no credential "other" in FOLDER; add LoadCredential=other:/path/to/the/file to the unit, or write a path here`,
  );
  for (const bad of ['credential:', 'credential:..', 'credential:../x', 'credential:a b']) {
    t.equal(said(bad, folder), `${place}: "${bad}" names no credential; write "credential:NAME"`);
  }
});
