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
  readonly #client = new ClientSide();
  readonly #backend = new ServerSide();
  readonly #record: ConnectionRecord;
  /** Whether TLS is all that the client may begin with. */
  readonly #implicit: boolean;
  #isHelloRecorded = false;
  /** Nothing that follows would change the record. */
  #isDone = false;

  constructor(record: ConnectionRecord, mode: 'starttls' | 'implicit' | 'tcp') {
    this.#record = record;
    this.#implicit = mode !== 'starttls';
  }

  fromClient(bytes: Buffer): void {
    if (this.#isDone) return;
    guarded('session tap', () => {
      this.#client.receive(bytes);
      this.#look();
    });
  }

  fromBackend(bytes: Buffer): void {
    if (this.#isDone) return;
    guarded('session tap', () => {
      this.#backend.receive(bytes);
      this.#look();
    });
  }

  /** The session is over. @param closedBy who ended it first */
  end(closedBy: 'client' | 'backend'): void {
    const { helo } = this.#client;
    this.#record.setHelo(helo);
    if (this.#isDone) return;
    this.#isDone = true;
    const failure = this.#unfinished(closedBy);
    if (failure !== undefined) this.#record.recordFailure(failure);
  }

  #look(): void {
    const { hello, records: client, unreadable, notTls, sentMailInClear } = this.#client;
    const { agreed, records: backend } = this.#backend;
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
    this.#isDone = alert !== undefined || isEncrypted || sentMailInClear;
  }

  #unfinished(closedBy: 'client' | 'backend'): Failure | undefined {
    const { hello, unreadable, notTls, askedForTls, wentOnInClear, helo } = this.#client;
    if (hello !== undefined) return { outcome: 'passthrough_failed', reason: `closed_by_${closedBy}` };
    if (unreadable !== undefined) return { outcome: 'passthrough_failed', reason: unreadable };
    if (notTls !== undefined)
      return { outcome: 'not_tls', reason: notTls, explanation: () => explainNotTls(notTls) };
    const spokeInClear = helo !== undefined && (!askedForTls || wentOnInClear);
    if (spokeInClear || !(askedForTls || this.#implicit)) return undefined;
    return { outcome: 'client_gone', reason: 'waiting for client_hello' };
  }
}

/** Of a ServerHello that could not be read. */
const UNKNOWN = { version: 'unknown', suite: 'unknown' };
