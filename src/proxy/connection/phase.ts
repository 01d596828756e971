/** What a connection does; one thing at a time. */
import type { Closing, OpenEnds } from './closing.js';
import type { Handshaking } from './handshaking.js';
import type { Opening } from './opening.js';
import type { Relay } from './relay.js';

export type Phase =
  /** A backend session is made. `smtp`: the client can read a reply of ours. */
  | { readonly kind: 'opening'; readonly opening: Opening; readonly smtp: boolean }
  | { readonly kind: 'relaying'; readonly relay: Relay }
  | { readonly kind: 'handshaking'; readonly handshaking: Handshaking }
  | { readonly kind: 'closing'; readonly closing: Closing };

/** Stops a phase. @returns what it leaves open for the next one */
export function leave(phase: Phase | undefined): OpenEnds {
  switch (phase?.kind) {
    case 'opening':
      return phase.opening.stop();
    case 'relaying':
      return phase.relay.stop();
    case 'handshaking':
      return phase.handshaking.stop();
    case 'closing':
    case undefined:
      return {};
  }
}
