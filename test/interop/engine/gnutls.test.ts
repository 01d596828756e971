/** The engine without the proxy around it, and GnuTLS. */
import { tryWithEngine } from '../../support/engine-trials.js';
import { gnutls } from '../../support/peers/command-echo-peers.js';

tryWithEngine('gnutls', gnutls);
