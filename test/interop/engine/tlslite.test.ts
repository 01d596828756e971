/** The engine without the proxy around it, and tlslite-ng. */
import { tryWithEngine } from '../../support/engine-trials.js';
import { tlslite } from '../../support/peers/job-echo-peers.js';

tryWithEngine('tlslite', tlslite);
