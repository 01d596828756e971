/**
 * Looks whether a backend lets our address say who a client is. Where nobody is to say that, a client that finds itself
 * behind our address could: with XCLIENT to relay as somebody else, with XFORWARD to be logged as somebody else.
 */
import { Dialogue, DIALOGUE_FAILURES } from './dialogue.js';
import { offered } from './ehlo-reply.js';
import type { Reply } from './reply.js';

export const TRUST_FAILURES = {
  backend_trusts_clients:
    'the backend lets the address of oldhello say who a client is, with XCLIENT or XFORWARD, and so every client',
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
