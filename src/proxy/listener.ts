/** Accepts clients on one address, and finds out who they are: by themselves, or from a load balancer's PROXY header. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { LimitsConfig, ListenerConfig } from '../config/schema.js';
import { SessionRecord, type Failure, type SessionEvent } from '../observe/session-record.js';
import { NetworkSet } from '../policy/networks.js';
import { addressBytes, addressText } from '../proxy-protocol/address.js';
import { decodeProxyHeader } from '../proxy-protocol/header.js';
import type { Admission } from './admission.js';
import type { Endpoint } from './backend.js';

/** Where to listen: an address, or a socket that was bound by somebody else. */
export type ListenAt = Readonly<Partial<ListenerConfig['address']> & { name?: string; fd?: number }>;

/** What one configuration says to a listener. */
export interface ListenerPlan {
  readonly config: ListenerConfig;
  readonly limits: LimitsConfig;
  readonly hostname: string;
}

export interface ListenerHandler {
  admit(client: Endpoint): Admission;
  serve(plan: ListenerPlan, client: AdmittedClient): void;
  /** A connection that was refused is over. */
  refused(event: SessionEvent): void;
  failed(config: ListenerConfig, error: Error): void;
}

export interface AdmittedClient {
  readonly socket: Socket;
  /** What it sent so far. */
  readonly first: Buffer;
  readonly client: Endpoint;
  readonly destination: Endpoint;
  readonly admission: Extract<Admission, { admitted: true }>;
}

export class Listener {
  readonly #at: ListenAt;
  readonly #handler: ListenerHandler;
  readonly #server: Server;
  #plan: ListenerPlan;
  #loadBalancers: NetworkSet;
  /** Who came before `open`. */
  #early: Socket[] | undefined = [];
  #closed = false;

  constructor(at: ListenAt, plan: ListenerPlan, handler: ListenerHandler) {
    this.#at = at;
    this.#plan = plan;
    this.#handler = handler;
    this.#loadBalancers = new NetworkSet(plan.config.proxyProtocol);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    this.#server.on('connection', (socket) => {
      if (this.#early === undefined) this.#accept(socket);
      else this.#early.push(socket);
    });
  }

  isAt({ host, port, name, fd }: ListenAt): boolean {
    const at = this.#at;
    return at.host === host && at.port === port && at.name === name && at.fd === fd;
  }

  get plan(): ListenerPlan {
    return this.#plan;
  }

  /**
   * Takes the address; clients that come wait until `open`.
   * @throws what the system says
   */
  listen(): Promise<void> {
    const { host, port, fd } = this.#at;
    const address = fd === undefined ? { host, port } : { fd };
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ ...address, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#handler.failed(this.#plan.config, error));
        resolve();
      });
    });
  }

  /** With the real port where 0 was asked for. */
  get address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  /** For clients from now on. */
  use(plan: ListenerPlan): void {
    this.#plan = plan;
    this.#loadBalancers = new NetworkSet(plan.config.proxyProtocol);
  }

  open(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const socket of early) this.#accept(socket);
  }

  /** Accepts nobody any more; who is in stays. */
  close(): void {
    this.#closed = true;
    this.#server.close();
    for (const socket of this.#early ?? []) socket.destroy();
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    if (remoteAddress === undefined || localAddress === undefined) {
      socket.destroy();
      return;
    }
    const client = endpoint(remoteAddress, remotePort);
    const destination = endpoint(localAddress, localPort);
    if (this.#plan.config.proxyProtocol.length === 0) this.#admit(socket, NOTHING, client, destination);
    else this.#readProxyHeader(socket, client, destination);
  }

  /** Only configured load balancers may speak for others, and those must (PROXY protocol, 2). */
  #readProxyHeader(socket: Socket, balancer: Endpoint, destination: Endpoint): void {
    const leave = (): void => {
      clearTimeout(timer);
      socket.off('data', read).off('end', gone).off('close', gone).pause();
    };
    const refuse = (failure: Failure): void => {
      leave();
      this.#refuse(socket, balancer, failure);
    };
    const bad = (reason: string): void => refuse({ outcome: 'bad_proxy_header', reason });
    const timer = setTimeout(() => bad('no header in time'), this.#plan.limits.proxyHeaderTimeout);
    let bytes: Buffer = NOTHING;
    const read = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const decoded = decodeProxyHeader(bytes);
      if ('need' in decoded) return;
      if ('malformed' in decoded) {
        bad(decoded.malformed);
        return;
      }
      leave();
      const { source, destination: target } = decoded.header;
      const rest = bytes.subarray(decoded.consumed);
      this.#admit(socket, rest, unmapped(source ?? balancer), unmapped(target ?? destination));
    };
    // Load balancers also look whether anybody listens, and go away.
    const gone = (): void => refuse({ outcome: 'client_gone', reason: 'waiting for proxy_header' });
    if (!this.#loadBalancers.has(balancer.address)) {
      bad('not from a configured load balancer');
      return;
    }
    socket.on('error', ignore);
    socket.on('data', read).on('end', gone).on('close', gone).resume();
  }

  #admit(socket: Socket, first: Buffer, client: Endpoint, destination: Endpoint): void {
    if (this.#closed) {
      this.#refuse(socket, client, { outcome: 'shutdown' }, '421 4.3.2 service is closing');
      return;
    }
    const admission = this.#handler.admit(client);
    if (admission.admitted)
      this.#handler.serve(this.#plan, { socket, first, client, destination, admission });
    else this.#refuse(socket, client, admission.failure, admission.reply);
  }

  /** Says no in SMTP where SMTP can be spoken, and logs it like any other session. */
  #refuse(socket: Socket, client: Endpoint, failure: Failure, reply?: string): void {
    const { config, hostname } = this.#plan;
    const record = new SessionRecord(config.name, client);
    record.fails(failure);
    const over = (): void => {
      clearTimeout(timer);
      this.#handler.refused(record.event());
    };
    const timer = setTimeout(() => socket.destroy(), REFUSAL_TIMEOUT).unref();
    if (socket.closed) {
      over();
      return;
    }
    socket.on('error', ignore);
    socket.once('close', over);
    if (reply !== undefined && config.mode === 'starttls') {
      socket.end(`${reply.slice(0, 9)} ${hostname}${reply.slice(9)}\r\n`);
    } else {
      socket.end();
    }
    socket.resume();
  }
}

function endpoint(address: string, port: number | undefined): Endpoint {
  return unmapped({ address, port: port ?? 0 });
}

/** IPv4 as IPv4, also where a socket that listens for both says it in IPv6: else all of IPv4 would count as one /64. */
function unmapped({ address, port }: Endpoint): Endpoint {
  if (!address.includes(':')) return { address, port };
  const bytes = addressBytes(address);
  return { address: bytes?.length === 4 ? addressText(bytes) : address, port };
}

const ignore = (): void => undefined;

const NOTHING = Buffer.alloc(0);
/** Connections the kernel may hold until they are accepted; it caps the number itself. */
const BACKLOG = 1024;
/** Milliseconds a refused client gets to close. */
const REFUSAL_TIMEOUT = 5_000;
