/** The admin listener: the status page, its data, the metrics, and whether oldhello is alive. It changes nothing. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AdminConfig } from '../config/schema.js';
import type { Metrics } from '../observe/metrics.js';
import type { StatusBoard } from '../observe/status/status.js';
import type { Asset } from './assets.js';
import { isOurHost } from './host-header.js';
import { statusPage } from './status-page.js';

export interface AdminSources {
  readonly metrics: Metrics;
  readonly board: StatusBoard;
  /** What the page loads, by path. */
  readonly assets: ReadonlyMap<string, Asset>;
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

  constructor({ hostNames }: AdminConfig, sources: AdminSources) {
    this.#names = hostNames;
    this.#sources = sources;
    this.#server = createServer({
      maxHeaderSize: MAX_HEADER_SIZE,
      headersTimeout: REQUEST_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
      connectionsCheckingInterval: 1000,
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    // Also ends a connection whose client does not read.
    this.#server.timeout = REQUEST_TIMEOUT;
    this.#server.on('request', (request, response) => void this.#respond(request, response));
  }

  /** @returns the address it listens on; rejects with what the system says */
  listen(address: NonNullable<AdminConfig['address']>): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(address, () => {
        this.#server.off('error', reject);
        this.#server.on('error', () => undefined);
        // It must not hold a process that has nothing else to do.
        this.#server.unref();
        resolve(this.#server.address() as AddressInfo);
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
        'not a name of this listener; add it to host-names in [admin], or ask for its address',
      );
    }
    const path = url.split('?', 1)[0]!;
    const { metrics, board, assets } = this.#sources;
    const asset = assets.get(path);
    if (asset !== undefined) return asset;
    switch (path) {
      case '/':
        return { type: 'text/html; charset=utf-8', body: statusPage(board.status()) };
      case '/status.json':
        return { type: 'application/json', body: JSON.stringify(board.status()) };
      case '/metrics':
        return metrics.text();
      case '/healthz':
        return { type: TEXT, body: 'ok\n' };
      default:
        return refusal(404, 'there are /, /status.json, /metrics and /healthz');
    }
  }
}

function refusal(status: number, message: string): Answer {
  return { status, type: TEXT, body: `${message}\n` };
}

const TEXT = 'text/plain; charset=utf-8';

/** Nothing from elsewhere, nothing inline, nowhere inside another page. */
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

/** Bytes. */
const MAX_HEADER_SIZE = 8 * 1024;
/** Milliseconds for a whole request to come and its answer to be taken. */
const REQUEST_TIMEOUT = 10_000;
/** Milliseconds: as long as the page waits between two requests. */
const KEEP_ALIVE_TIMEOUT = 6_000;
/** A few browsers and scrapers. */
const MAX_CONNECTIONS = 64;
