/** The admin listener: the status page, its data, the metrics, liveness and readiness. It changes nothing. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { AdminConfig } from '../config/schema.js';
import type { BackendWatch } from '../observe/backend-watch.js';
import { guarded } from '../observe/guard.js';
import type { Metrics } from '../observe/metrics.js';
import type { StatusBoard } from '../observe/status/status.js';
import type { Asset } from './assets.js';
import { boundConnections } from './connection-pool.js';
import { isOurHost } from './host-header.js';
import { KeptAnswers } from './kept-answers.js';
import { statusPage } from './status-page.js';

export interface AdminSources {
  readonly metrics: Metrics;
  readonly board: StatusBoard;
  /** The files that the page loads, by path. */
  readonly assets: ReadonlyMap<string, Asset>;
  readonly backends: BackendWatch;
}

interface Answer {
  readonly status?: number;
  readonly type: string;
  readonly body: string;
}

export class AdminServer {
  readonly #names: readonly string[];
  readonly #sources: AdminSources;
  readonly #server: Server;
  /** Sockets with a request that is not answered yet. */
  readonly #busy = new WeakSet<Socket>();
  readonly #kept = new KeptAnswers<Answer>();

  /** @param maxConnections that are open at once */
  constructor({ hostNames }: AdminConfig, sources: AdminSources, maxConnections: number) {
    this.#names = hostNames;
    this.#sources = sources;
    this.#server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
    });
    boundConnections(this.#server, maxConnections);
    // Also closes the connection of a client that does not read.
    this.#server.timeout = REQUEST_TIMEOUT_MS;
    this.#server.on('request', (request, response) => this.#receive(request, response));
  }

  /** @returns the address it listens on; rejects with the system error */
  listen(address: NonNullable<AdminConfig['address']>): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(address, () => {
        this.#server.off('error', reject);
        this.#server.on('error', () => undefined);
        // The listener alone must not keep the process running.
        this.#server.unref();
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /**
   * One request at a time on each connection. Node parses all requests of a chunk at once, so pipelined requests would
   * have their answers made in one go, and the mail would wait. Browsers and scrapers do not pipeline.
   */
  #receive(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (this.#busy.has(socket) || socket.destroyed) {
      socket.destroy();
      return;
    }
    this.#busy.add(socket);
    response.once('close', () => this.#busy.delete(socket));
    this.#respond(request, response).catch((error: unknown) => {
      socket.destroy();
      guarded('answer of the admin listener', () => {
        throw error;
      });
    });
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status = 200, type, body } = await this.#answer(request);
    response.writeHead(status, {
      ...HEADERS,
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      ...(status === 405 && { allow: 'GET, HEAD' }),
      ...(status >= 400 && { connection: 'close' }),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #answer({ method, url = '/', headers }: IncomingMessage): Promise<Answer> {
    if (method !== 'GET' && method !== 'HEAD') return refusal(405, 'only GET and HEAD');
    if (!isOurHost(headers.host, this.#names)) {
      return refusal(
        421,
        'not a name of this listener; add it to host-names in [admin], or use its IP address',
      );
    }
    const path = url.split('?', 1)[0]!;
    const { metrics, board, assets } = this.#sources;
    const asset = assets.get(path);
    if (asset !== undefined) return asset;
    switch (path) {
      case '/':
        return this.#kept.get(path, () => ({
          type: 'text/html; charset=utf-8',
          body: statusPage(board.status()),
        }));
      case '/status.json':
        return this.#kept.get(path, () => ({
          type: 'application/json',
          body: JSON.stringify(board.status()),
        }));
      case '/metrics':
        return this.#kept.get(path, () => metrics.text());
      case '/healthz':
        return { type: TEXT, body: 'ok\n' };
      case '/readyz':
        return readiness(this.#sources.backends.unready());
      default:
        return refusal(404, 'there are /, /status.json, /metrics, /healthz and /readyz');
    }
  }
}

/** For load balancers. Whether the process is alive is another question, which /healthz answers. */
function readiness(unready: readonly string[]): Answer {
  if (unready.length === 0) return { type: TEXT, body: 'ok\n' };
  return refusal(503, `no backend is up for ${unready.join(', ')}`);
}

function refusal(status: number, message: string): Answer {
  return { status, type: TEXT, body: `${message}\n` };
}

const TEXT = 'text/plain; charset=utf-8';

/** No content from other hosts, no inline scripts, no framing. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
} as const;

const MAX_HEADER_BYTES = 8 * 1024;
const HEADERS_TIMEOUT_MS = 3_000;
/** For a whole request to come and its response to be read. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Longer than the page waits between two requests. */
const KEEP_ALIVE_TIMEOUT_MS = 6_000;
