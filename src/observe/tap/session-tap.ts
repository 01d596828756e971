/**
 * Watches a session whose TLS is the backend's own. What passes in clear goes into the record of the connection: HELO,
 * ClientHello, ServerHello, alerts.
 */
import type { ConnectionRecord, Failure } from '../connection-record.js';
import { explainAlertOf, explainNotTls } from '../explain.js';
import { guarded } from '../guard.js';
import { ClientSide } from './client-side.js';
import { ServerSide } from './server-side.js';

export class SessionTap {
  readonly #record: ConnectionRecord;
  /** Whether TLS is all that the client may begin with. */
  readonly #implicit: boolean;
  /** Undefined, and their buffers free, once nothing that follows would change the record. */
  #sides: Sides | undefined = newSides();
  #isHelloRecorded = false;

  constructor(record: ConnectionRecord, mode: 'starttls' | 'implicit' | 'tcp') {
    this.#record = record;
    this.#implicit = mode !== 'starttls';
  }

  fromClient(bytes: Buffer): void {
    this.#watch((sides) => sides.client.receive(bytes));
  }

  fromBackend(bytes: Buffer): void {
    this.#watch((sides) => sides.backend.receive(bytes));
  }

  /** The session is over. @param closedBy who ended it first */
  end(closedBy: 'client' | 'backend'): void {
    const sides = this.#sides;
    if (sides === undefined) return;
    this.#release(sides);
    const failure = this.#unfinished(sides, closedBy);
    if (failure !== undefined) this.#record.recordFailure(failure);
  }

  #watch(read: (sides: Sides) => void): void {
    const sides = this.#sides;
    if (sides === undefined) return;
    guarded('session tap', () => {
      read(sides);
      if (this.#isSettled(sides)) this.#release(sides);
    });
  }

  #release({ client: { helo } }: Sides): void {
    this.#record.setHelo(helo);
    this.#sides = undefined;
  }

  /** Records what is new. */
  #isSettled({ client: fromClient, backend: { agreed, records: backend } }: Sides): boolean {
    const { hello, records: client, unreadable, notTls, sentMailInClear } = fromClient;
    if (hello !== undefined && !this.#isHelloRecorded) {
      this.#isHelloRecorded = true;
      this.#record.handshakeStarted();
      this.#record.setHello(hello);
    }
    const outcome = backend.fatalAlert === undefined ? 'alert_from_client' : 'alert_from_backend';
    const alert = backend.fatalAlert ?? client.fatalAlert;
    const isEncrypted = client.isEncrypted && backend.isEncrypted;
    if (alert !== undefined) {
      const explanation = (): string => explainAlertOf(outcome, alert, hello);
      this.#record.recordFailure({ outcome, alert, reason: unreadable ?? notTls, explanation });
    } else if (isEncrypted) {
      this.#record.established({ path: 'passthrough', ...(agreed ?? UNKNOWN) });
    }
    return alert !== undefined || isEncrypted || sentMailInClear;
  }

  #unfinished({ client }: Sides, closedBy: 'client' | 'backend'): Failure | undefined {
    const { hello, unreadable, notTls, askedForTls, wentOnInClear, helo } = client;
    if (hello !== undefined) return { outcome: 'passthrough_failed', reason: `closed_by_${closedBy}` };
    if (unreadable !== undefined) return { outcome: 'passthrough_failed', reason: unreadable };
    if (notTls !== undefined)
      return { outcome: 'not_tls', reason: notTls, explanation: () => explainNotTls(notTls) };
    const spokeInClear = helo !== undefined && (!askedForTls || wentOnInClear);
    if (spokeInClear || !(askedForTls || this.#implicit)) return undefined;
    return { outcome: 'client_gone', reason: 'waiting for client_hello' };
  }
}

function newSides(): Sides {
  const client = new ClientSide();
  return { client, backend: new ServerSide(client.records) };
}

interface Sides {
  readonly client: ClientSide;
  readonly backend: ServerSide;
}

/** Of a ServerHello that could not be read. */
const UNKNOWN = { version: 'unknown', suite: 'unknown' };
