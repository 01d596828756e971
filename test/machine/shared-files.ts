/** Files of this machine that the booted one sees. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** oldhello_VERSION_all.deb, from what is built. */
export function makePackage(folder: string): void {
  execFileSync(process.execPath, ['packaging/deb/build.js', folder], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** One from an authority of its own for mx.example.com, for oldhello, and one for Postfix behind it. */
export function makeCertificate(folder: string): void {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'ignore'] });
  };
  const subject = [
    '-subj',
    '/CN=mx.example.com',
    '-addext',
    'subjectAltName=DNS:mx.example.com',
    '-days',
    '60',
  ];
  const key = (name: string): string[] => ['-nodes', '-newkey', 'rsa:2048', '-keyout', name];
  openssl(
    'req',
    '-x509',
    ...key('ca.key'),
    '-out',
    'backend-ca.pem',
    '-subj',
    '/CN=test authority',
    '-days',
    '60',
  );
  for (const [name, out] of [
    ['privkey.pem', 'fullchain.pem'],
    ['backend.key', 'backend.crt'],
  ] as const) {
    openssl(
      'req',
      '-x509',
      '-CA',
      'backend-ca.pem',
      '-CAkey',
      'ca.key',
      ...key(name),
      '-out',
      out,
      ...subject,
    );
  }
  execFileSync('sh', ['-c', 'cat backend.key backend.crt >backend.pem'], { cwd: folder });
  writeFileSync(join(folder, 'mail'), 'Subject: test\r\n\r\nhello\r\n');
  execFileSync('chmod', ['-R', 'a+rX', folder]);
}
