/** Asks a backend for TLS in a session of our own making, up to the byte where TLS begins (RFC 3207, 4). */
import { Dialogue, DIALOGUE_FAILURES } from './dialogue.js';
import { offered } from './ehlo-reply.js';
import { lastLine, type Reply } from './reply.js';

export const STARTTLS_FAILURES = {
  backend_no_starttls: 'the backend does not offer STARTTLS',
  backend_starttls_refused: 'the backend offers STARTTLS, but refused it',
  backend_early_bytes: 'the backend sent more behind its reply to STARTTLS, in clear: response injection',
  ...DIALOGUE_FAILURES,
} as const;

export type StarttlsFailure = keyof typeof STARTTLS_FAILURES;

/** When it is ready, the next byte to the backend begins TLS. */
export class StarttlsDialogue extends Dialogue<StarttlsFailure> {
  protected ehloAccepted(reply: Reply): void {
    if (offered(reply, 'STARTTLS') === undefined) this.fail('backend_no_starttls', '');
    else this.ask('STARTTLS', (answer) => this.#answered(answer));
  }

  #answered(reply: Reply): void {
    if (reply.code !== 220) this.fail('backend_starttls_refused', lastLine(reply));
    else if (this.buffered > 0) this.fail('backend_early_bytes', '');
    else this.finish(this.greeting);
  }
}
