/**
 * Checks that a backend does not let our address claim another client. If oldhello sends no identity, a client could
 * send one itself from our address: with XCLIENT to relay as another client, with XFORWARD to be logged as one.
 */
import { Dialogue, DIALOGUE_FAILURES } from './dialogue.js';
import { offered } from './ehlo-reply.js';
import type { Reply } from './reply.js';

export const TRUST_FAILURES = {
  backend_trusts_clients:
    'the backend accepts XCLIENT or XFORWARD from the address of oldhello, and so from every client',
  ...DIALOGUE_FAILURES,
} as const;

export type TrustFailure = keyof typeof TRUST_FAILURES;

/** When it is ready, the backend waits for the client's EHLO; it offers us nothing that a client may not have. */
export class TrustDialogue extends Dialogue<TrustFailure> {
  protected ehloAccepted(reply: Reply): void {
    if (offersTrust(reply, ['XCLIENT', 'XFORWARD'])) this.fail('backend_trusts_clients', '');
    else this.finish(this.greeting);
  }
}

export function offersTrust(reply: Reply, keywords: readonly ('XCLIENT' | 'XFORWARD')[]): boolean {
  return keywords.some((keyword) => offered(reply, keyword) !== undefined);
}
