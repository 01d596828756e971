/** Accepts clients on one address: limits first, then the load balancer's PROXY header, then the policy for the client. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ListenerConfig, LimitsConfig } from '../config/schema.js';
import { SessionRecord, type Failure, type SessionEvent } from '../observe/session-record.js';
import { NetworkSet } from '../policy/networks.js';
import type { ConnectionCount } from '../policy/connection-count.js';
import { decodeProxyHeader } from '../proxy-protocol/header.js';
import type { Endpoint } from './backend.js';
import { ProxiedConnection, type ConnectionPlan } from './connection.js';
import type { EngineServices } from './engine-channel.js';

export interface ListenerServices extends EngineServices {
  readonly limits: LimitsConfig;
  readonly hostname: string;
  readonly count: ConnectionCount;
  /** What to do with a client of this listener; undefined where policy refuses it. */
  plan(listener: ListenerConfig, client: Endpoint, destination: Endpoint): ConnectionPlan | undefined;
  ended(event: SessionEvent): void;
  failed(listener: ListenerConfig, error: Error): void;
}

export class Listener {
  readonly #config: ListenerConfig;
  readonly #services: ListenerServices;
  readonly #server: Server;
  readonly #loadBalancers: NetworkSet;
  readonly #connections = new Set<ProxiedConnection>();

  constructor(config: ListenerConfig, services: ListenerServices) {
    this.#config = config;
    this.#services = services;
    this.#loadBalancers = new NetworkSet(config.proxyProtocol);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    this.#server.on('connection', (socket) => this.#accept(socket));
  }

  /** @returns the address it listens on, with the real port where 0 was asked for */
  listen(): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ ...this.#config.address, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#services.failed(this.#config, error));
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Accepts nobody any more; resolves when the last client has gone. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  abortAll(failure: Failure): void {
    for (const connection of this.#connections) connection.abort(failure);
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    if (remoteAddress === undefined || localAddress === undefined) {
      socket.destroy();
      return;
    }
    const client = endpoint(remoteAddress, remotePort);
    const destination = endpoint(localAddress, localPort);
    if (this.#config.proxyProtocol.length === 0) this.#admit(socket, client, destination);
    else this.#readProxyHeader(socket, client, destination);
  }

  /** Only configured load balancers may speak for others, and those must (PROXY protocol, 2). */
  #readProxyHeader(socket: Socket, balancer: Endpoint, destination: Endpoint): void {
    const refuse = (reason: string): void => {
      clearTimeout(timer);
      this.#refuse(socket, balancer, { outcome: 'bad_proxy_header', reason });
    };
    const timer = setTimeout(() => refuse('no header in time'), this.#services.limits.proxyHeaderTimeout);
    if (!this.#loadBalancers.has(balancer.address)) {
      refuse('not from a configured load balancer');
      return;
    }
    let bytes: Buffer = Buffer.alloc(0);
    socket.on('error', ignore);
    socket.once('close', () => clearTimeout(timer));
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const decoded = decodeProxyHeader(bytes);
      if ('need' in decoded) return;
      socket.removeAllListeners('data').pause();
      if ('malformed' in decoded) {
        refuse(decoded.malformed);
        return;
      }
      clearTimeout(timer);
      const rest = bytes.subarray(decoded.consumed);
      if (rest.length > 0) socket.unshift(rest);
      const { source = balancer, destination: target = destination } = decoded.header;
      this.#admit(socket, source, target);
    });
    socket.resume();
  }

  #admit(socket: Socket, client: Endpoint, destination: Endpoint): void {
    const { count, limits } = this.#services;
    const over = count.over(client.address, limits);
    if (over !== undefined) {
      this.#refuse(
        socket,
        client,
        { outcome: 'limit_exceeded', reason: over },
        '421 4.7.0 too many connections',
      );
      return;
    }
    const plan = this.#services.plan(this.#config, client, destination);
    if (plan === undefined) {
      this.#refuse(socket, client, { outcome: 'policy_refused' }, '554 5.7.1 access denied');
      return;
    }
    const leave = count.enter(client.address);
    const connection = new ProxiedConnection(plan, socket, this.#services, (event) => {
      leave();
      this.#connections.delete(connection);
      this.#services.ended(event);
    });
    this.#connections.add(connection);
    connection.start();
  }

  /** Says no in SMTP where SMTP can be spoken, and logs it like any other session. */
  #refuse(socket: Socket, client: Endpoint, failure: Failure, reply?: string): void {
    const record = new SessionRecord(this.#config.name, client);
    record.fails(failure);
    socket.on('error', ignore);
    socket.once('close', () => this.#services.ended(record.event()));
    if (reply !== undefined && this.#config.mode === 'starttls') {
      socket.end(`${reply.slice(0, 9)} ${this.#services.hostname}${reply.slice(9)}\r\n`);
    } else {
      socket.end();
    }
    socket.resume();
    setTimeout(() => socket.destroy(), REFUSAL_TIMEOUT).unref();
  }
}

/** IPv4 as IPv4, also on a socket that listens for both. */
function endpoint(address: string, port: number | undefined): Endpoint {
  return { address: address.replace(/^::ffff:(?=\d+\.)/, ''), port: port ?? 0 };
}

const ignore = (): void => undefined;

/** Connections the kernel may hold until they are accepted; it caps the number itself. */
const BACKLOG = 1024;
/** Milliseconds a refused client gets to close. */
const REFUSAL_TIMEOUT = 5_000;
