/**
 * Checks that the user of the service can read the files of the configuration. The check runs as root, which can read
 * every file.
 */
import type { Config } from '../config/schema.js';
import type { Finding } from './finding.js';
import { unreadableFor, type ServiceUser } from './service-user.js';

/** @param credentials files that systemd reads as root, so that the user of the service need not read them */
export function checkAccess(config: Config, user: ServiceUser, credentials: readonly string[]): Finding[] {
  const files = namedFiles(config).filter(({ path }) => !credentials.includes(path));
  if (files.length === 0) return [];
  const unreadable = unreadableFor(
    user,
    files.map(({ path }) => path),
  );
  const subject = `user ${user.name}`;
  if (unreadable.length === 0) {
    const message = `the service runs as this user, which can read ${files.map(({ path }) => path).join(', ')}`;
    return [{ check: 'access', subject, verdict: 'good', message, advice: [] }];
  }
  return files
    .filter(({ path }) => unreadable.includes(path))
    .map(({ key, path }) => {
      const message = `the service runs as this user, which cannot read ${path}`;
      const advice = [
        `chgrp ${user.name} ${path} && chmod 640 ${path}, and o+x or the same group on each folder above it`,
        'or use a credential of systemd: LoadCredential= in the unit, and "credential:NAME" here',
      ];
      return { check: 'access', subject, verdict: 'bad', message, advice, key };
    });
}

interface NamedFile {
  readonly key: string;
  readonly path: string;
}

function namedFiles({ certificates, backends, policies, tls, sessionStore }: Config): NamedFile[] {
  const all: [string, string | undefined][] = [
    ...certificates.flatMap(
      ({ chain, key, pkcs12, passphraseFile }, index): [string, string | undefined][] => [
        [`certificate[${index}].chain`, chain],
        [`certificate[${index}].key`, key],
        [`certificate[${index}].pkcs12`, pkcs12],
        [`certificate[${index}].passphrase-file`, passphraseFile],
      ],
    ),
    ...backends.map(({ tlsCa }, index): [string, string | undefined] => [`backend[${index}].tls-ca`, tlsCa]),
    ...policies.map(({ networksFile }, index): [string, string | undefined] => [
      `policy[${index}].networks-file`,
      networksFile,
    ]),
    ['tls.ticket-key-file', tls.ticketKeyFile],
    ['session-store.password-file', sessionStore.passwordFile],
  ];
  return all.flatMap(([key, path]) => (path === undefined ? [] : [{ key, path }]));
}
