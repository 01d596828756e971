/** From a master secret to the protection of both directions (RFC 5246, 6.3). */
import { MAC_LENGTHS, type CipherSuite } from '../cipher-suites.js';
import { ProtocolVersion } from '../code-points.js';
import { createReadProtection, createWriteProtection } from '../record/create-protection.js';
import type { ReadProtection, WriteProtection } from '../record/protection.js';
import type { VersionRules } from './version-rules.js';
import { lastingCopy } from '../wire.js';

export interface ConnectionProtection {
  readonly read: ReadProtection;
  readonly write: WriteProtection;
}

export interface KeySchedule {
  readonly rules: VersionRules;
  readonly suite: CipherSuite;
  readonly masterSecret: Buffer;
  /** ServerHello.random and ClientHello.random. */
  readonly seed: Buffer;
  readonly encryptThenMac: boolean;
  readonly random: (length: number) => Buffer;
}

export function connectionProtection({
  rules,
  suite,
  masterSecret,
  seed,
  encryptThenMac,
  random,
}: KeySchedule): ConnectionProtection {
  const macLength = suite.mac === undefined ? 0 : MAC_LENGTHS[suite.mac];
  const ivLength = keyBlockIvLength(suite, rules.version);
  const length = 2 * (macLength + suite.bulk.keyLength + ivLength);
  const block = rules.keyBlock(suite, masterSecret, seed, length);
  let at = 0;
  const take = (bytes: number): Buffer => block.subarray(at, (at += bytes));
  // What OpenSSL's chained objects, and RC4's state, have taken in is needed no more.
  const keep = suite.bulk.kind === 'aead' ? lastingCopy : (key: Buffer): Buffer => key;
  const [clientMacKey, serverMacKey] = [lastingCopy(take(macLength)), lastingCopy(take(macLength))];
  const [clientKey, serverKey] = [keep(take(suite.bulk.keyLength)), keep(take(suite.bulk.keyLength))];
  const [clientIv, serverIv] = [keep(take(ivLength)), keep(take(ivLength))];
  const client = { macKey: clientMacKey, key: clientKey, iv: clientIv };
  const server = { macKey: serverMacKey, key: serverKey, iv: serverIv };
  const { version } = rules;
  const protection = {
    read: createReadProtection({ version, suite, encryptThenMac, random, keys: client }),
    write: createWriteProtection({ version, suite, encryptThenMac, random, keys: server }),
  };
  block.fill(0);
  return protection;
}

/** RFC 4346, 6.2.3.2: from TLS 1.1 on CBC takes nothing from the key block. */
function keyBlockIvLength({ bulk }: CipherSuite, version: ProtocolVersion): number {
  if (bulk.kind === 'aead') return bulk.fixedIvLength;
  return bulk.kind === 'cbc' && version <= ProtocolVersion.TLSv1 ? bulk.blockLength : 0;
}
