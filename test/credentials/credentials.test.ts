/** Certificates and keys as OpenSSL writes them, in every wrapping, and what is said of those that do not fit. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import type { CertificateConfig } from '../../src/config/schema.js';
import { CredentialError, loadCredential } from '../../src/credentials/credentials.js';
import { hasPeer } from '../support/peers/require-peer.js';

const PASSPHRASE = 'correct horse %1';

/** A folder for OpenSSL to work in. */
class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'oldhello-credentials-'));

  path(name: string): string {
    return join(this.folder, name);
  }

  openssl(...args: string[]): void {
    const { status, stderr } = spawnSync('openssl', args, { cwd: this.folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  }

  write(name: string, ...parts: (string | Buffer)[]): string {
    writeFileSync(this.path(name), Buffer.concat(parts.map((part) => Buffer.from(part))), { mode: 0o600 });
    return this.path(name);
  }

  read(name: string): Buffer {
    return readFileSync(this.path(name));
  }

  key(name: string, kind: 'rsa' | 'P-256' | 'P-384'): void {
    const options =
      kind === 'rsa'
        ? ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']
        : ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${kind}`];
    this.openssl('genpkey', ...options, '-out', `${name}.key`);
    chmodSync(this.path(`${name}.key`), 0o600);
  }

  /** @param issuer absent: itself */
  certificate(name: string, issuer = name): void {
    const ca = name === issuer || name === 'intermediate';
    this.write('extensions', `basicConstraints=critical,CA:${ca ? 'TRUE' : 'FALSE'}\n`);
    this.openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}.example`, '-out', 'request');
    const signer =
      issuer === name ? ['-signkey', `${name}.key`] : ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`];
    const set = ['-set_serial', '1', '-days', '30', '-extfile', 'extensions', '-out', `${name}.crt`];
    this.openssl('x509', '-req', '-in', 'request', ...signer, ...set);
  }
}

/** root signs intermediate, which signs rsa and ec; other stands alone. */
function workshop(t: Test): Workshop | undefined {
  const openssl = spawnSync('openssl', ['version']).error === undefined ? undefined : 'no openssl';
  if (!hasPeer(t, 'OpenSSL', openssl)) return undefined;
  const made = new Workshop();
  t.teardown(() => rmSync(made.folder, { recursive: true }));
  made.key('root', 'P-256');
  made.certificate('root');
  made.key('intermediate', 'P-256');
  made.certificate('intermediate', 'root');
  for (const [name, kind] of [
    ['rsa', 'rsa'],
    ['ec', 'P-384'],
  ] as const) {
    made.key(name, kind);
    made.certificate(name, 'intermediate');
  }
  made.key('other', 'P-256');
  made.certificate('other');
  made.write('passphrase', `${PASSPHRASE}\nonly the first line counts\n`);
  return made;
}

const NOTHING: CertificateConfig = {
  chain: undefined,
  key: undefined,
  pkcs12: undefined,
  passphraseFile: undefined,
  use: 'all',
};

function load(made: Workshop, files: Partial<Record<keyof CertificateConfig, string>>) {
  const paths = Object.fromEntries(Object.entries(files).map(([key, name]) => [key, made.path(name)]));
  return loadCredential({ ...NOTHING, ...paths });
}

/** What is said of files that cannot be used, with the folder left out; '' where they can. */
function complaint(made: Workshop, files: Partial<Record<keyof CertificateConfig, string>>): string {
  try {
    load(made, files);
    return '';
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    return `${error.key}: ${error.message.replaceAll(`${made.folder}/`, '')}`;
  }
}

const subjects = (chainPem: string): string[] => {
  const blocks = chainPem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
  return blocks.map((block) => {
    const { stdout } = spawnSync('openssl', ['x509', '-noout', '-subject', '-nameopt', 'RFC2253'], {
      input: block,
      encoding: 'utf8',
    });
    return /CN=(\w+)/.exec(stdout)?.[1] ?? '';
  });
};

test('PKCS#12 files that OpenSSL exports are opened, with RSA and ECDSA keys, old and new encryption', async (t) => {
  const made = workshop(t);
  if (made === undefined) return;
  made.write('issuers', made.read('root.crt'), made.read('intermediate.crt'));
  const encryptions: Record<string, string[]> = {
    'of OpenSSL 3, PBES2 with AES-256': [],
    'AES-128 and a MAC with SHA-1': ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC', '-macalg', 'sha1'],
    'AES-256 and a MAC with SHA-512': ['-macalg', 'sha512', '-iter', '1'],
    'of the last century, RC2-40 and 3DES': ['-legacy'],
    'none, with a MAC only': ['-keypbe', 'NONE', '-certpbe', 'NONE'],
  };
  for (const [what, options] of Object.entries(encryptions)) {
    for (const [name, keyAlgorithm] of [
      ['rsa', 'RSA2048'],
      ['ec', 'EC384'],
    ] as const) {
      made.openssl(
        ...['pkcs12', '-export', '-inkey', `${name}.key`, '-in', `${name}.crt`, '-certfile', 'issuers'],
        ...['-name', 'mail', '-passout', `pass:${PASSPHRASE}`, '-out', 'mail.p12', ...options],
      );
      chmodSync(made.path('mail.p12'), 0o600);
      const loaded = load(made, { pkcs12: 'mail.p12', passphraseFile: 'passphrase' });
      t.equal(loaded.info.keyAlgorithm, keyAlgorithm, `${keyAlgorithm}, ${what}`);
      t.same(subjects(loaded.chainPem), [name, 'intermediate', 'root'], 'in order');
      t.ok(loaded.key.equals(load(made, { chain: `${name}.crt`, key: `${name}.key` }).key), 'the very key');
      t.same(loaded.exposed, []);
    }
  }
  made.openssl(
    'pkcs12',
    '-export',
    '-inkey',
    'ec.key',
    '-in',
    'ec.crt',
    '-passout',
    'pass:',
    '-out',
    'open.p12',
  );
  t.match(load(made, { pkcs12: 'open.p12' }).info, { keyAlgorithm: 'EC384' }, 'an empty passphrase is none');
});

test('an error in a PKCS#12 file is reported with the name of the file', async (t) => {
  const made = workshop(t);
  if (made === undefined) return;
  const pass = ['-passout', `pass:${PASSPHRASE}`];
  made.openssl('pkcs12', '-export', '-inkey', 'ec.key', '-in', 'ec.crt', ...pass, '-out', 'mail.p12');
  made.openssl('pkcs12', '-export', '-nokeys', '-in', 'ec.crt', ...pass, '-out', 'nokey.p12');
  made.openssl('pkcs12', '-export', '-nocerts', '-inkey', 'ec.key', ...pass, '-out', 'nocert.p12');
  made.write('wrong', 'wrong\n');
  made.write('umlaut', 'pässwörd\n');
  made.write('empty', '\nsecond line');
  t.match(
    complaint(made, { pkcs12: 'mail.p12', passphraseFile: 'wrong' }),
    /^pkcs12: mail\.p12: cannot be opened as PKCS#12 with the passphrase in wrong: ./,
  );
  t.match(
    complaint(made, { pkcs12: 'mail.p12' }),
    /^pkcs12: mail\.p12: cannot be opened as PKCS#12 without a passphrase; set passphrase-file: ./,
  );
  t.match(
    complaint(made, { pkcs12: 'ec.crt', passphraseFile: 'passphrase' }),
    /^pkcs12: ec\.crt: cannot be opened as PKCS#12/,
  );
  const open = (pkcs12: string): string => complaint(made, { pkcs12, passphraseFile: 'passphrase' });
  t.equal(open('nokey.p12'), 'pkcs12: nokey.p12: holds no private key');
  t.equal(open('nocert.p12'), 'pkcs12: nocert.p12: holds no certificate');
  t.match(open('absent.p12'), /^pkcs12: absent\.p12: cannot be read: there is no such file/);
  t.equal(
    complaint(made, { pkcs12: 'mail.p12', passphraseFile: 'umlaut' }),
    'passphrase-file: umlaut: is not plain ASCII; programs encode such passphrases in different ways in PKCS#12, so choose another one',
  );
  t.equal(
    complaint(made, { pkcs12: 'mail.p12', passphraseFile: 'empty' }),
    'passphrase-file: empty: has an empty first line; write the passphrase there',
  );
  t.match(
    complaint(made, { pkcs12: 'mail.p12', passphraseFile: 'absent' }),
    /^passphrase-file: absent: cannot be read: there is no such file/,
  );
});

test('encrypted PEM keys are opened with their passphrase, and asked for it', async (t) => {
  const made = workshop(t);
  if (made === undefined) return;
  made.write('passphrase', 'pässwörd ✓ 1\r\n');
  const encrypt = (name: string, out: string, ...options: string[]): void => {
    made.openssl(...options, '-in', `${name}.key`, '-passout', 'pass:pässwörd ✓ 1', '-out', out);
    chmodSync(made.path(out), 0o600);
  };
  encrypt('rsa', 'pkcs8.key', 'pkcs8', '-topk8', '-v2', 'aes-256-cbc');
  encrypt('rsa', 'pkcs1.key', 'rsa', '-traditional', '-aes128');
  encrypt('ec', 'sec1.key', 'ec', '-des3');
  for (const [chain, key] of [
    ['rsa.crt', 'pkcs8.key'],
    ['rsa.crt', 'pkcs1.key'],
    ['ec.crt', 'sec1.key'],
  ] as const) {
    const loaded = load(made, { chain, key, passphraseFile: 'passphrase' });
    t.match(loaded.keyPem, /^-----BEGIN PRIVATE KEY-----/, `${key}: unencrypted for Node's TLS`);
    t.equal(complaint(made, { chain, key }), `key: ${key}: is encrypted; set passphrase-file`);
    made.write('wrong', 'wrong');
    t.match(
      complaint(made, { chain, key, passphraseFile: 'wrong' }),
      new RegExp(`^key: ${key}: cannot be decrypted with the passphrase in wrong: .`),
    );
  }
});

test('a chain in the wrong order is sorted, certificates that do not belong to it are left out, and both are reported', async (t) => {
  const made = workshop(t);
  if (made === undefined) return;
  const chainOf = (...names: string[]): ReturnType<typeof loadCredential> => {
    made.write('chain.crt', ...names.map((name) => made.read(`${name}.crt`)));
    return load(made, { chain: 'chain.crt', key: 'rsa.key' });
  };
  const good = chainOf('rsa', 'intermediate', 'root');
  t.same(subjects(good.chainPem), ['rsa', 'intermediate', 'root']);
  t.same(good.repairs, []);
  t.same(chainOf('rsa').repairs, [], 'a short chain is left alone');
  const turned = chainOf('root', 'intermediate', 'rsa');
  t.same(subjects(turned.chainPem), ['rsa', 'intermediate', 'root']);
  t.same(turned.repairs, ['put in order, each certificate followed by its issuer']);
  const stray = chainOf('rsa', 'other', 'intermediate', 'ec');
  t.same(subjects(stray.chainPem), ['rsa', 'intermediate']);
  t.same(stray.repairs, [
    'put in order, each certificate followed by its issuer',
    'left out CN=other.example, which does not belong to the chain',
    'left out CN=ec.example, which does not belong to the chain',
  ]);
  t.same(chainOf('rsa', 'intermediate', 'intermediate').repairs, [], 'one that stands twice is sent once');
});

test('a key that does not match its certificate is an error with both files and what they hold', async (t) => {
  const made = workshop(t);
  if (made === undefined) return;
  t.equal(
    complaint(made, { chain: 'ec.crt', key: 'rsa.key' }),
    'key: rsa.key: is not the key of any certificate in ec.crt (CN=ec.example): RSA2048 here, EC384 there; give the matching pair',
  );
  t.equal(
    complaint(made, { chain: 'root.crt', key: 'other.key' }),
    'key: other.key: is not the key of any certificate in root.crt (CN=root.example): both are EC256, but do not belong together; give the matching pair',
  );
  made.write('all.pem', made.read('rsa.crt'), made.read('rsa.key'));
  t.equal(complaint(made, { chain: 'all.pem', key: 'all.pem' }), '', 'one file may hold both');
  t.equal(
    complaint(made, { chain: 'rsa.key', key: 'rsa.key' }),
    'chain: rsa.key: holds no PEM certificate, but a private key; are chain and key mixed up?',
  );
  t.match(
    complaint(made, { chain: 'rsa.crt', key: 'rsa.crt' }),
    /^key: rsa\.crt: holds no usable private key: ./,
  );
  made.openssl('x509', '-in', 'rsa.crt', '-outform', 'der', '-out', 'rsa.der');
  t.equal(
    complaint(made, { chain: 'rsa.der', key: 'rsa.key' }),
    'chain: rsa.der: holds no PEM certificate, but probably DER; convert it: openssl x509 -inform der -in rsa.der',
  );
  made.write(
    'broken.crt',
    made
      .read('rsa.crt')
      .toString()
      .replace(/[A-Z]{2}/g, 'AA'),
  );
  t.match(
    complaint(made, { chain: 'broken.crt', key: 'rsa.key' }),
    /^chain: broken\.crt: holds (?:an unreadable|no PEM) certificate/,
  );
  t.equal(
    complaint(made, { chain: 'passphrase', key: 'rsa.key' }),
    'chain: passphrase: holds no PEM certificate',
  );
  made.openssl('genpkey', '-algorithm', 'ed25519', '-out', 'ed.key');
  made.certificate('ed');
  t.match(
    complaint(made, { chain: 'ed.crt', key: 'ed.key' }),
    /^chain: ed\.crt: cannot be used: .*neither RSA nor ECDSA/,
  );
});

test('files with secrets that others may read are listed', async (t) => {
  const made = workshop(t);
  if (made === undefined) return;
  const exposed = (): string[] => {
    const loaded = load(made, { chain: 'rsa.crt', key: 'rsa.key', passphraseFile: 'passphrase' });
    return loaded.exposed.map(({ file, mode }) => `${file.replace(`${made.folder}/`, '')} ${mode}`);
  };
  t.same(exposed(), []);
  chmodSync(made.path('rsa.key'), 0o640);
  t.same(exposed(), [], 'the group of the service may read');
  chmodSync(made.path('rsa.key'), 0o644);
  chmodSync(made.path('passphrase'), 0o604);
  t.same(exposed(), ['rsa.key 0644', 'passphrase 0604']);
  chmodSync(made.path('rsa.key'), 0o420);
  chmodSync(made.path('passphrase'), 0o400);
  t.same(exposed(), [], 'that others may write is bad too, but nothing leaks');
});
