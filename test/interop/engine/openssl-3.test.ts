/** The engine without the proxy around it, and OpenSSL 3. */
import { tryWithEngine } from '../../support/engine-trials.js';
import { openssl3 } from '../../support/peers/command-echo-peers.js';

tryWithEngine('openssl-3', openssl3);
