/** What the benchmark plays, in this order. */
import type { Comparison } from './results.js';
import { bulk } from './scenarios/bulk.js';
import { cold } from './scenarios/cold.js';
import { deliveries } from './scenarios/deliveries.js';
import { growth } from './scenarios/growth.js';
import { fullHandshakes, resumedHandshakes } from './scenarios/handshakes.js';
import { idle } from './scenarios/idle.js';
import { latency } from './scenarios/latency.js';
import { startup } from './scenarios/startup.js';
import { workers } from './scenarios/workers.js';
import type { Stage } from './stage.js';

export interface Scenario {
  readonly name: string;
  /** For the page; what is measured, in a sentence or two. */
  readonly what: string;
  readonly play: (stage: Stage) => AsyncGenerator<Comparison>;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'handshakes',
    what:
      'Connect, full handshake with a key of RSA-2048, a connection to the backend, its greeting through the proxy, close; ' +
      '16 clients at a time. `floor` does the same steps in Node without any TLS but the private-key operation; ' +
      '`RSA limit` is what `openssl speed` signs on the core of the server.',
    play: fullHandshakes,
  },
  {
    name: 'resumption',
    what: 'The same with an abbreviated handshake. Here `node-tls` remembers sessions, which Node leaves to the program.',
    play: resumedHandshakes,
  },
  {
    name: 'smtp',
    what:
      'Connect, EHLO, STARTTLS, handshake, EHLO, MAIL, RCPT, DATA with 10 KB, QUIT, one command at a time, to a mail server ' +
      'that says yes to everything; 200 clients at a time.',
    play: deliveries,
  },
  {
    name: 'bulk',
    what:
      'One connection with as much data as goes through. What the client sends was encrypted before the clock runs, and it ' +
      'does not decrypt what it gets, so the figure that counts is the CPU time of the server. `oldhello-engine` is oldhello ' +
      'with `modern = "engine"`; without it, clients of TLS 1.2 with these suites get the TLS of Node.',
    play: bulk,
  },
  {
    name: 'idle',
    what:
      'Memory (PSS without files, of all processes of the server) that comes with each established and silent connection, its backend half ' +
      'included; TLS 1.0 with AES128-SHA. The memory of the kernel for sockets is not in it.',
    play: idle,
  },
  {
    name: 'latency',
    what: 'Clients come at a steady rate, whether those before them are done or not.',
    play: latency,
  },
  {
    name: 'cold',
    what:
      'One connection after another to a server that has just started, full handshakes with a backend session behind each; ' +
      'CPU of all its threads.',
    play: cold,
  },
  {
    name: 'startup',
    what: 'The time until the first TCP connection is accepted, tried every millisecond.',
    play: startup,
  },
  {
    name: 'growth',
    what: 'Full handshakes as in the first table, with more and more clients at a time.',
    play: growth,
  },
  {
    name: 'workers',
    what: 'Full handshakes with one worker on one core, with two on two, and by one that has a core to itself; 64 clients at a time.',
    play: workers,
  },
];
