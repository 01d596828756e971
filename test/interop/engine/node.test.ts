/** The engine without the proxy around it, and Node's own TLS. */
import { tryWithEngine } from '../../support/engine-trials.js';
import { node } from '../../support/peers/node-echo-peer.js';

tryWithEngine('node', node);
