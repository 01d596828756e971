/** One connection of a capture, read into what `report` counts. */
import type { ConnectionReader, Ending } from '../capture/tcp-connections.js';
import { describeHello } from '../observe/hello-description.js';
import { sanitizePeerText } from '../observe/sanitize.js';
import type { LoggedConnection } from '../report/log-line.js';
import { ClientSide } from '../observe/tap/client-side.js';
import { ServerSide } from '../observe/tap/server-side.js';

/** Gets each connection when it is over, unless it was neither SMTP nor TLS. */
export interface ConversationResults {
  connection(connection: LoggedConnection): void;
  /** The capture lacks the hello, or what would show whether there was one. */
  helloMissing(): void;
}

export class Conversation implements ConnectionReader {
  readonly fromClient = new ClientSide();
  readonly fromServer = new ServerSide(this.fromClient.records);
  readonly #time: string;
  readonly #address: string;
  readonly #results: ConversationResults;

  constructor(time: string, address: string, results: ConversationResults) {
    this.#time = time;
    this.#address = address;
    this.#results = results;
  }

  get isDone(): boolean {
    const { sentMailInClear, records: client } = this.fromClient;
    const { records: server } = this.fromServer;
    if (sentMailInClear || client.fatalAlert !== undefined || server.fatalAlert !== undefined) return true;
    return client.isEncrypted && server.isEncrypted;
  }

  end(how: Ending): void {
    const { hello, unreadable, helo, hasGap, askedForTls } = this.fromClient;
    const base = {
      time: this.#time,
      address: this.#address,
      helo: helo === undefined ? undefined : sanitizePeerText(helo),
      hello: undefined,
      tls: undefined,
    };
    if (hello !== undefined) {
      const tls = this.#agreed(how);
      const { format, version, fingerprint, library, needs } = describeHello(hello, tls?.suite);
      const described = { format, version, fingerprint: fingerprint.short, library, needs };
      const outcome = tls === undefined ? this.#failure(how) : { outcome: 'completed', reason: undefined };
      this.#results.connection({ ...base, hello: described, tls, ...outcome });
    } else if (unreadable !== undefined) {
      this.#results.connection({ ...base, outcome: 'unreadable_hello', reason: unreadable });
    } else if (hasGap) {
      this.#results.helloMissing();
    } else if (askedForTls && !this.fromClient.wentOnInClear) {
      this.#results.connection({ ...base, outcome: 'no_hello', reason: how });
    } else if (helo !== undefined) {
      this.#results.connection({ ...base, outcome: 'plaintext', reason: undefined });
    }
  }

  /** What client and server agreed on; undefined where the handshake failed. */
  #agreed(how: Ending): LoggedConnection['tls'] {
    const { fromClient, fromServer } = this;
    if (fromClient.records.fatalAlert !== undefined || fromServer.records.fatalAlert !== undefined)
      return undefined;
    // Where the capture lacks the end of the handshake, nothing says that it failed.
    const isUnknown = !fromServer.hasData || fromServer.hasGap || how === 'capture_ended';
    if (!fromServer.records.isEncrypted && !isUnknown) return undefined;
    return fromServer.agreed ?? NOT_CAPTURED;
  }

  #failure(how: Ending): Pick<LoggedConnection, 'outcome' | 'reason'> {
    const { fromClient, fromServer } = this;
    const [ofServer, ofClient] = [fromServer.records.fatalAlert, fromClient.records.fatalAlert];
    if (ofServer !== undefined) return { outcome: 'alert_from_server', reason: ofServer };
    if (ofClient !== undefined) return { outcome: 'alert_from_client', reason: ofClient };
    return { outcome: 'handshake_not_finished', reason: how };
  }
}

const NOT_CAPTURED = { version: 'not captured', suite: '' };
