/** Accepts clients on one address. Each client's address is its socket's, or comes in a load balancer's PROXY header. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { LimitsConfig, ListenerConfig } from '../../config/schema.js';
import { ConnectionRecord, type Failure, type ConnectionEvent } from '../../observe/connection-record.js';
import { NetworkSet } from '../../policy/networks.js';
import { ownReply, type OwnReply } from '../../smtp/replies.js';
import type { Admission } from './admission.js';
import { unmapped, type Endpoint } from '../../net/endpoint.js';
import type { ProxyHeaders } from './proxy-header.js';
import type { Refusals } from './refusals.js';
import { SocketChannel, TCP_OPTIONS } from '../transport/socket-channel.js';

/** Where to listen: an address, or a socket that is bound already. */
export type ListenAt = Readonly<Partial<ListenerConfig['address']> & { name?: string; fd?: number }>;

/** What one configuration decides about a listener. */
export interface ListenerPlan {
  readonly config: ListenerConfig;
  readonly limits: LimitsConfig;
  readonly hostname: string;
}

export interface ListenerHandler {
  admit(client: Endpoint, config: ListenerConfig): Admission;
  serve(plan: ListenerPlan, client: AdmittedConnection): void;
  /** A connection that was refused is over. */
  refused(plan: ListenerPlan, event: ConnectionEvent): void;
  failed(config: ListenerConfig, error: Error): void;
}

export interface AdmittedConnection {
  readonly channel: SocketChannel;
  /** What it sent so far. */
  readonly first: Buffer;
  readonly client: Endpoint;
  readonly destination: Endpoint;
  readonly admission: Extract<Admission, { admitted: true }>;
}

/** What all listeners of the process share. */
export interface SharedBounds {
  readonly refusals: Refusals;
  readonly headers: ProxyHeaders;
}

export class Listener {
  readonly #at: ListenAt;
  readonly #shared: SharedBounds;
  readonly #handler: ListenerHandler;
  readonly #server: Server;
  #plan: ListenerPlan;
  #loadBalancers: NetworkSet;
  /** Clients that came before `open`. */
  #early: SocketChannel[] | undefined = [];
  #closed = false;

  constructor(at: ListenAt, plan: ListenerPlan, handler: ListenerHandler, shared: SharedBounds) {
    this.#at = at;
    this.#shared = shared;
    this.#plan = plan;
    this.#handler = handler;
    this.#loadBalancers = NetworkSet.of(plan.config.proxyProtocol);
    this.#server = createServer({ ...TCP_OPTIONS, pauseOnConnect: true });
    this.#server.on('connection', (socket) => this.#arrives(new SocketChannel(socket)));
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
   * @throws Error of the system
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
  configure(plan: ListenerPlan): void {
    this.#plan = plan;
    this.#loadBalancers = NetworkSet.of(plan.config.proxyProtocol);
  }

  open(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const channel of early) this.#accept(channel);
  }

  /** Accepts no more clients; connections that exist stay. */
  close(): void {
    this.#closed = true;
    this.#server.close();
    for (const channel of this.#early ?? []) channel.destroy();
  }

  #arrives(channel: SocketChannel): void {
    if (this.#early === undefined) this.#accept(channel);
    else if (this.#early.length < MAX_EARLY) this.#early.push(channel);
    else channel.destroy();
  }

  #accept(channel: SocketChannel): void {
    const { remote, local } = channel;
    if (remote === undefined || local === undefined) {
      channel.destroy();
      return;
    }
    const client = unmapped(remote);
    const destination = unmapped(local);
    if (this.#plan.config.proxyProtocol.length === 0) this.#admit(channel, NOTHING, client, destination);
    else this.#readProxyHeader(channel, client, destination);
  }

  /** Only configured load balancers may name another client, and those must (PROXY protocol, 2). */
  #readProxyHeader(channel: SocketChannel, balancer: Endpoint, destination: Endpoint): void {
    if (!this.#loadBalancers.has(balancer.address)) {
      const reason = 'not from a configured load balancer';
      this.#refuse(channel, balancer, { outcome: 'bad_proxy_header', reason });
      return;
    }
    this.#shared.headers.read(channel, this.#plan.limits.proxyHeaderTimeout, {
      read: ({ source, destination: target }, rest) => {
        this.#admit(channel, rest, unmapped(source ?? balancer), unmapped(target ?? destination));
      },
      failed: (failure) => this.#refuse(channel, balancer, failure),
      closed: (failure) => this.#handler.refused(this.#plan, this.#refusal(balancer, failure).event()),
    });
  }

  #admit(channel: SocketChannel, first: Buffer, client: Endpoint, destination: Endpoint): void {
    if (this.#closed) {
      this.#refuse(channel, client, { outcome: 'shutdown' }, 'shutting_down');
      return;
    }
    const admission = this.#handler.admit(client, this.#plan.config);
    if (admission.admitted)
      this.#handler.serve(this.#plan, { channel, first, client, destination, admission });
    else this.#refuse(channel, client, admission.failure, admission.reply);
  }

  /** With a reply where the client reads SMTP. */
  #refuse(channel: SocketChannel, client: Endpoint, failure: Failure, reply?: OwnReply): void {
    const plan = this.#plan;
    const { config, hostname } = plan;
    const record = this.#refusal(client, failure);
    const readable = reply !== undefined && config.mode === 'starttls';
    this.#shared.refusals.refuse(channel, readable ? ownReply(reply, hostname) : undefined, () => {
      this.#handler.refused(plan, record.event());
    });
  }

  /** Logged like any other connection. */
  #refusal(client: Endpoint, failure: Failure): ConnectionRecord {
    const record = new ConnectionRecord(this.#plan.config.name, client);
    record.recordFailure(failure);
    return record;
  }
}

const NOTHING = Buffer.alloc(0);
/** Connections the kernel may hold until they are accepted; it caps the number itself. */
const BACKLOG = 1024;
/** Clients that wait until the configuration is in use. They do not count towards the limits yet. */
const MAX_EARLY = BACKLOG;
