/** Describes a hello for the log. */
import { versionName, type ClientHello } from '../tls/index.js';
import { fingerprintHello } from './hello/fingerprint.js';
import { offeredVersion } from './hello/hello-numbers.js';
import { likelyLibrary } from './hello/library.js';
import { needsOf } from './hello/needs.js';
import { offerOf } from './hello/offer.js';
import type { ConnectionEvent } from './connection-event.js';

export type HelloDescription = NonNullable<ConnectionEvent['hello']>;

/** @param chosen the suite that was agreed on, by OpenSSL's name */
export function describeHello(hello: ClientHello, chosen: string | undefined): HelloDescription {
  // Hardly two record-format hellos are equal, because of tickets and key shares.
  if (hello.sslv2 === undefined) return describe(hello, chosen);
  const key = `${chosen}/${textWithoutChallenge(hello.original, hello.sslv2.challengeLength)}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  if (remembered.size === CAPACITY) remembered.clear();
  const description = describe(hello, chosen);
  remembered.set(key, description);
  return description;
}

function describe(hello: ClientHello, chosen: string | undefined): HelloDescription {
  return {
    format: hello.format,
    version: versionName(offeredVersion(hello)),
    fingerprint: fingerprintHello(hello),
    library: likelyLibrary(hello),
    offers: offerOf(hello),
    needs: needsOf(hello, chosen),
  };
}

function textWithoutChallenge(original: Buffer, challengeLength: number): string {
  return original.toString('latin1', 0, original.length - challengeLength);
}

/** Old senders connect often and always with the same hello; without this cache each description takes 20 us. */
const remembered = new Map<string, HelloDescription>();
/** Some kilobytes each, for the hellos of real clients. */
const CAPACITY = 100;
