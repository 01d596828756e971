/** Reads the PROXY header with which a load balancer begins a connection (PROXY protocol, 2). */
import type { Failure } from '../../observe/connection-record.js';
import { decodeProxyHeader } from '../../proxy-protocol/decode.js';
import type { ProxyHeader } from '../../proxy-protocol/header.js';
import { NO_HANDLER } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';

export interface ProxyHeaderHandler {
  /** @param rest what came behind the header. The channel is paused and has no handler. */
  read(header: ProxyHeader, rest: Buffer): void;
  /** The channel is open, paused, and has no handler. */
  failed(failure: Failure): void;
  /** The connection is over. */
  closed(failure: Failure): void;
}

/** Connections whose header has not come. They are outside the limits, which count clients, so they have one of their own. */
export class ProxyHeaders {
  /** In the order in which they came; each entry fails its connection. */
  readonly #waiting = new Set<() => void>();
  #max = 1;

  /** @param max how many may wait at once; the oldest fails when one more comes */
  limitTo(max: number): void {
    this.#max = Math.max(1, max);
  }

  read(channel: SocketChannel, timeoutMs: number, handler: ProxyHeaderHandler): void {
    let bytes = NOTHING;
    const settle = (): void => {
      clearTimeout(timer);
      this.#waiting.delete(crowdedOut);
      channel.pause();
      channel.handler = NO_HANDLER;
    };
    const fail = (failure: Failure): void => {
      settle();
      handler.failed(failure);
    };
    const crowdedOut = (): void => fail(bad('too many connections wait for their header'));
    const timer = setTimeout(() => fail(bad('no header in time')), timeoutMs);
    channel.handler = {
      ...NO_HANDLER,
      data: (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        const decoded = decodeProxyHeader(bytes);
        if ('need' in decoded) return;
        if ('malformed' in decoded) fail(bad(decoded.malformed));
        else {
          settle();
          handler.read(decoded.header, bytes.subarray(decoded.consumed));
        }
      },
      // Health checks of load balancers connect and close.
      end: () => fail(GONE),
      closed: () => {
        settle();
        handler.closed(GONE);
      },
    };
    this.#waiting.add(crowdedOut);
    if (this.#waiting.size > this.#max) for (const oldest of [...this.#waiting].slice(0, 1)) oldest();
    channel.resume();
  }
}

function bad(reason: string): Failure {
  return { outcome: 'bad_proxy_header', reason };
}

const GONE: Failure = { outcome: 'client_gone', reason: 'waiting for proxy_header' };
const NOTHING = Buffer.alloc(0);
