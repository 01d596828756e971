import type { ClientHello } from './client-hello.js';
import type { HelloExtensions } from './extensions.js';

/** All that a client offers. */
export interface Offer {
  readonly hello: ClientHello;
  readonly extensions: HelloExtensions;
}
