/** The engine without the proxy around it, and OpenSSL 1.0.2. */
import { tryWithEngine } from '../../support/engine-trials.js';
import { openssl102 } from '../../support/peers/job-echo-peers.js';

tryWithEngine('openssl-1.0.2', openssl102);
