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
  return {
    format: hello.format,
    version: versionName(offeredVersion(hello)),
    fingerprint: fingerprintHello(hello),
    library: likelyLibrary(hello),
    offers: offerOf(hello),
    needs: needsOf(hello, chosen),
  };
}
