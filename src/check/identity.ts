/** Whether a backend takes the address that it gets for that of the client, and lets no client claim one. */
import { sanitizePeerText } from '../observe/sanitize.js';
import type { BackendTarget } from '../proxy/backend/target.js';
import { offered } from '../smtp/ehlo-reply.js';
import type { Reply } from '../smtp/reply.js';
import { refusesBrokenHeader } from './broken-header.js';
import { CLAIMED_ADDRESS } from './claimed-session.js';
import type { PathFindings } from './path-findings.js';

/** @param ehlo the reply to EHLO */
export async function checkIdentity(
  ehlo: Reply,
  target: BackendTarget,
  found: PathFindings,
  timeoutMs: number,
): Promise<void> {
  const { identity } = target.backend;
  if (identity === 'none') {
    found.add(
      'identity',
      'good',
      `for the backend every client is ${found.us}, because of identity = "none"`,
    );
    return;
  }
  const hello = sanitizePeerText(ehlo.lines[0]!.toString('latin1').trimEnd());
  if (hello.includes(found.us) && !hello.includes(CLAIMED_ADDRESS)) {
    found.add('identity', 'bad', `for the backend the client is ${found.us}: "${hello}"`, identity);
    return;
  }
  found.add('identity', 'good', `it accepts ${identity}`);
  if (hello.includes(CLAIMED_ADDRESS)) {
    found.add('observed', 'good', `it shows the claimed address: "${hello}"`);
  } else if (identity === 'xclient') {
    const gone = offered(ehlo, 'XCLIENT') === undefined;
    if (gone)
      found.add('observed', 'good', `it offered XCLIENT to ${found.us}, but not to ${CLAIMED_ADDRESS}`);
  } else if (await refusesBrokenHeader(target, timeoutMs)) {
    found.add(
      'observed',
      'good',
      `it reads the header, because it rejects a damaged one; to be sure, look for ${CLAIMED_ADDRESS} in its log at this time`,
    );
  } else {
    found.add(
      'observed',
      'unknown',
      `its replies show no address; look for ${CLAIMED_ADDRESS} in its log at this time`,
    );
  }
}

/** @param ehlo the reply to EHLO */
export function checkTrust(ehlo: Reply, found: PathFindings): void {
  const keywords = ['XCLIENT', 'XFORWARD'].filter((keyword) => offered(ehlo, keyword) !== undefined);
  if (keywords.length === 0)
    found.add('trust', 'good', 'it offers neither XCLIENT nor XFORWARD to strangers');
  else {
    found.add('trust', 'bad', `it allows ${keywords.join(' and ')} for ${found.stranger}`, 'trust');
  }
}
