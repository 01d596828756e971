/** The engine without the proxy around it, and NSS. */
import { tryWithEngine } from '../../support/engine-trials.js';
import { nss } from '../../support/peers/command-echo-peers.js';

tryWithEngine('nss', nss);
