/** The engine without the proxy around it, and the TLS of the JDK. */
import { tryWithEngine } from '../../support/engine-trials.js';
import { jsse } from '../../support/peers/job-echo-peers.js';

tryWithEngine('jsse', jsse);
