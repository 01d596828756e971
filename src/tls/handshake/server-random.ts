import { ProtocolVersion, TLS_1_3 } from '../code-points.js';
import { RANDOM_LENGTH } from '../hello/client-hello.js';
import type { CompleteParameters } from '../server-parameters.js';

/** RFC 8446, 4.1.3: the last bytes show a client that can do better that its offer was stripped on the way. */
export function newServerRandom(
  version: ProtocolVersion,
  { random, serviceMaxVersion }: CompleteParameters,
): Buffer {
  const serverRandom = random(RANDOM_LENGTH);
  if (version === ProtocolVersion['TLSv1.2']) {
    if (serviceMaxVersion >= TLS_1_3) DOWNGRADE_TO_1_2.copy(serverRandom, SENTINEL_AT);
  } else if (serviceMaxVersion >= ProtocolVersion['TLSv1.2']) {
    DOWNGRADE_TO_1_1.copy(serverRandom, SENTINEL_AT);
  }
  return serverRandom;
}

const DOWNGRADE_TO_1_2 = Buffer.from('DOWNGRD\x01', 'latin1');
const DOWNGRADE_TO_1_1 = Buffer.from('DOWNGRD\x00', 'latin1');
const SENTINEL_AT = RANDOM_LENGTH - DOWNGRADE_TO_1_2.length;
