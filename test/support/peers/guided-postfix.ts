/** A Postfix with all the services that docs/backends.md describes. */
import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import { adapt, freePorts, linesFor, makeCertificate, mtaFolder, untilListening, type Mta } from './mta.js';
import { postfixLack, startPostfix } from './postfix.js';

const SASLPASSWD = fileURLToPath(new URL('../../../.peers/mta/sasl/usr/sbin/saslpasswd2', import.meta.url));

export function guidedPostfixLack(): string | undefined {
  const lack = postfixLack();
  if (lack !== undefined) return lack;
  return spawnSync(SASLPASSWD, ['-h']).error === undefined
    ? undefined
    : 'needs saslpasswd2, which .ci/install-mtas unpacks';
}

export async function startGuidedPostfix(): Promise<Mta> {
  const folder = mtaFolder('postfix-files');
  const certificate = makeCertificate(folder);
  const ports = await freePorts([10025, 10026, 10027, 10465, 10587]);
  const users = join(folder, 'sasldb2');
  makeUser(users);
  const replacements = [
    ...ports,
    ['/etc/ssl/backend.crt', certificate.chain],
    ['/etc/ssl/backend.key', certificate.key],
    ['/etc/oldhello/backend-ca.pem', certificate.chain],
    ['/etc/sasldb2', users],
  ] as const;
  const postfix = await startPostfix(
    {
      smtpd_upstream_proxy_protocol: '',
      // Everybody who is taken for this host may relay, so that it shows if oldhello's clients are.
      mynetworks: '127.0.0.1/32',
      smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
    },
    `${adapt(linesFor(BACKEND_GUIDES.Postfix, 'master.cf'), replacements)}\n`,
    adapt(linesFor(BACKEND_GUIDES.Postfix, 'sasl/smtpd.conf'), replacements),
  );
  await untilListening(
    ports.values(),
    () => false,
    () => postfix.log(),
  );
  return {
    certificate: certificate.pem,
    backend: ({ backend }, identity) =>
      adapt(backend, [...replacements, ...(identity === undefined ? [] : [['proxy-v2', identity] as const])]),
    nextMessage: () => postfix.nextMessage(),
    relaysForItself: true,
    knowsClients: true,
    log: () => postfix.log(),
    stop() {
      postfix.stop();
      return Promise.resolve();
    },
  };
}

/** Anna, in a database of Cyrus SASL's. */
function makeUser(database: string): void {
  const args = ['-p', '-c', '-f', database, '-u', 'mta.example', 'anna'];
  const made = spawnSync(SASLPASSWD, args, { input: 'secret' });
  if (made.status !== 0) throw new Error(`saslpasswd2: ${made.stderr.toString()}`);
  const postfix = Number(spawnSync('id', ['-u', 'postfix']).stdout);
  chownSync(database, postfix, postfix);
}
