/**
 * The server's side of the handshake, top to bottom as in the figures of RFC 5246, 7.3 and RFC 5077, 3.1; handshake-steps
 * has the steps. wait.ts explains how it waits. A refusal is thrown, and nothing here catches it.
 */
import type { ClientHello } from '../hello/client-hello.js';
import { HandshakeSteps, type Completed } from './handshake-steps.js';
import type { HandshakeIo } from './io.js';
import type { Step } from './wait.js';

export function* serverHandshake(io: HandshakeIo, hello: ClientHello): Step<Completed> {
  const steps = new HandshakeSteps(io, hello);
  try {
    steps.chooseVersion();
    yield* steps.findSession();
    return steps.resuming ? yield* abbreviatedHandshake(steps) : yield* fullHandshake(steps);
  } finally {
    steps.wipe();
  }
}

function* fullHandshake(steps: HandshakeSteps): Step<Completed> {
  steps.chooseSuite();
  steps.sendServerHello();
  steps.sendCertificate();
  yield* steps.sendServerKeyExchange();
  steps.sendServerHelloDone();
  yield* steps.receiveClientKeyExchange();
  steps.establishKeys();
  yield* steps.receiveChangeCipherSpec();
  const finished = yield* steps.receiveFinished();
  steps.sendNewSessionTicket();
  steps.sendChangeCipherSpec();
  steps.sendFinished();
  steps.saveSession();
  return steps.complete(finished);
}

/** RFC 5246, 7.3, figure 2: our Finished comes first. */
function* abbreviatedHandshake(steps: HandshakeSteps): Step<Completed> {
  steps.sendServerHello();
  steps.establishKeys();
  steps.sendChangeCipherSpec();
  steps.sendFinished();
  yield* steps.receiveChangeCipherSpec();
  return steps.complete(yield* steps.receiveFinished());
}
