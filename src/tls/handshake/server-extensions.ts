/** Which extensions a ServerHello answers. */
import type { CipherSuite } from '../cipher-suites.js';
import { isNamed } from '../credential.js';
import type { Offer } from '../hello/offer.js';
import type { Credential } from '../server-parameters.js';
import type { ServerExtensions } from './messages.js';

/**
 * @param credential undefined where a session is resumed: it repeats no name (RFC 6066, 3)
 * @param ticket whether a new one follows
 */
export function answerExtensions(
  { extensions }: Offer,
  suite: CipherSuite,
  credential: Credential | undefined,
  ticket: boolean,
): ServerExtensions {
  const { serverName } = extensions;
  return {
    serverName: credential !== undefined && serverName !== undefined && isNamed(credential, serverName),
    maxFragmentLength: extensions.maxFragmentLength,
    ecPointFormats: extensions.ecPointFormats && suite.keyExchange === 'ecdhe',
    // RFC 7366, 3: for CBC suites only.
    encryptThenMac: extensions.encryptThenMac && suite.bulk.kind === 'cbc',
    extendedMasterSecret: extensions.extendedMasterSecret,
    sessionTicket: ticket,
    renegotiationInfo: extensions.secureRenegotiation,
  };
}
