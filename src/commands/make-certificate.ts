/** `oldhello make-certificate`: makes certificates of a private authority for old clients and for modern ones. */
import { execFileSync } from 'node:child_process';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { makePair } from '../credentials/certificate-pair.js';
import { GOOD, say, UsageError, type Command } from './command.js';

export const makeCertificate: Command = {
  summary: 'make a SHA-1 and a SHA-256 certificate, for old clients and for others',
  usage: `oldhello make-certificate NAME... --out FOLDER [--days N]

Makes a private certificate authority and two RSA-2048 certificates for the names: one
signed with SHA-1, which clients before about 2008 need if they verify certificates or
cannot read SHA-256, and one signed with SHA-256 for all others. Prints the lines for the
configuration. Run it again to renew: the authority is kept, both certificates are new.

  NAME            a host name or IP address; the first is the common name
  --out FOLDER    where the files go; keys get mode 0640 and the group "oldhello" where
                  there is one and root runs this, else mode 0600
  --days N        how long the certificates are valid: 1 to 3650, 825 without it`,
  options: { out: { type: 'string' }, days: { type: 'string' } },
  allowPositionals: true,
  run({ values: { out, days }, positionals }) {
    if (typeof out !== 'string') throw new UsageError(`which folder?\n\n${makeCertificate.usage}`);
    const pair = makePair(resolve(out), {
      names: namesOf(positionals),
      days: daysOf(typeof days === 'string' ? days : String(DEFAULT_DAYS)),
      gid: process.getuid?.() === 0 ? groupOfService() : undefined,
    });
    const { legacy, modern, authorities } = pair;
    say(`# SHA-1: OpenSSL before 0.9.8o, Windows XP before SP3, Windows 2003, Java before 1.4.2, devices of that time.
[[certificate]]
chain = ${JSON.stringify(legacy.chain)}
key = ${JSON.stringify(legacy.key)}
use = "legacy"

# SHA-256: all other clients.
[[certificate]]
chain = ${JSON.stringify(modern.chain)}
key = ${JSON.stringify(modern.key)}

# Clients that verify certificates import the authority: ${authorities.sha256}
# or, the old ones, ${authorities.sha1}`);
    return Promise.resolve(GOOD);
  },
};

function namesOf(names: readonly string[]): readonly [string, ...string[]] {
  const wrong = names.find(
    (name) => isIP(name) === 0 && !/^(?:\*\.)?[0-9A-Za-z](?:[0-9A-Za-z.-]{0,252})$/.test(name),
  );
  if (wrong !== undefined) throw new UsageError(`${JSON.stringify(wrong)} is no host name and no IP address`);
  const [first, ...others] = names;
  if (first === undefined) throw new UsageError(`which name?\n\n${makeCertificate.usage}`);
  return [first, ...others];
}

function daysOf(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= MAX_DAYS) return days;
  throw new UsageError(`--days takes a whole number from 1 to ${MAX_DAYS}`);
}

/** Undefined if the group of the packaged service does not exist. */
function groupOfService(): number | undefined {
  try {
    const entry = execFileSync('getent', ['group', 'oldhello'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(entry.split(':')[2]);
  } catch {
    return undefined;
  }
}

/** The longest validity that some clients accept. */
const DEFAULT_DAYS = 825;
const MAX_DAYS = 3650;
