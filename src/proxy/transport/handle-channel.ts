/** A TCP connection as a channel, without the sockets and streams of node:net; see system/tcp-handles. */
import type { ChildProcess, SendHandle, Serializable } from 'node:child_process';
import { Socket, type Server } from 'node:net';
import { getDefaultHighWaterMark } from 'node:stream';
import { getSystemErrorName } from 'node:util';
import { newSocketName, tcp, type Request, type TcpHandle, type WriteRequest } from './tcp-handles.js';
import { NO_HANDLER, type ChannelHandler, type ConnectHandler, type TcpChannel } from './channel.js';
import { endpointOf, type Endpoint } from '../../net/endpoint.js';

export class HandleChannel implements TcpChannel {
  handler: ChannelHandler = NO_HANDLER;
  readonly #handle: TcpHandle;
  /** What is read into: SHARED until much comes at a time. */
  #buffer = SHARED;
  /** Written in this turn of the event loop. */
  #turn: Uint8Array[] | undefined;
  #ahead: Buffer | undefined;
  #paused = true;
  #reading = false;
  /** The handler is told of bytes, and may yet change its mind about whether it wants more. */
  #telling = false;
  #readEnded = false;
  #writeEnded = false;
  #full = false;
  /** Writes that the kernel has not taken all of. */
  #inFlight = 0;
  #over = false;
  #error: Error | undefined;

  /** Takes over a connection that is established. */
  constructor(handle: TcpHandle) {
    this.#handle = handle;
    handle.owner = this;
    handle.setNoDelay(true);
    handle.useUserBuffer(SHARED);
    handle.onread = HandleChannel.#onRead;
  }

  get remote(): Endpoint | undefined {
    const name = newSocketName();
    return this.#over || this.#handle.getpeername(name) !== 0
      ? undefined
      : endpointOf(name.address, name.port);
  }

  get local(): Endpoint | undefined {
    const name = newSocketName();
    return this.#over || this.#handle.getsockname(name) !== 0
      ? undefined
      : endpointOf(name.address, name.port);
  }

  /** What is written in one turn of the event loop leaves in one system call, when the turn is over. */
  write(bytes: Uint8Array): void {
    if (this.#writeEnded || this.#over) return;
    if (this.#turn === undefined) {
      this.#turn = [bytes];
      process.nextTick(HandleChannel.#onTurnOver, this);
    } else this.#turn.push(bytes);
  }

  end(): void {
    if (this.#writeEnded || this.#over) return;
    this.#flush();
    this.#writeEnded = true;
    if (this.#closesWhenDone()) return;
    const request = tcp!.newShutdownRequest();
    request.oncomplete = nothing;
    // ENOTCONN: the peer has reset the connection, which reading will tell.
    const status = this.#handle.shutdown(request);
    if (status !== 0 && getSystemErrorName(status) !== 'ENOTCONN') this.#fail(status, 'shutdown');
  }

  destroy(): void {
    this.#flush();
    this.#close();
  }

  pause(): void {
    this.#paused = true;
    if (!this.#telling) this.#stopReading();
  }

  resume(): void {
    if (!this.#paused || this.#over) return;
    this.#paused = false;
    if (this.#ahead === undefined) this.#startReading();
    else process.nextTick(HandleChannel.#onResumed, this);
  }

  unread(bytes: Buffer): void {
    this.#ahead = bytes;
  }

  release(): Socket {
    this.#flush();
    if (this.#over) return new Socket().destroy();
    const handle = this.#leave();
    // What Node's own server makes of a handle that is to be read by somebody else.
    const options = { handle, allowHalfOpen: true, pauseOnCreate: true };
    const socket = new Socket(options);
    if (this.#ahead !== undefined) socket.unshift(this.#ahead);
    return socket;
  }

  sendTo(
    child: ChildProcess,
    message: (unread: Buffer) => Serializable,
    sent: (error: Error | null) => void,
  ): () => void {
    const handle = this.#leave();
    child.send(message(this.#ahead ?? NOTHING), handle as unknown as SendHandle, (error) => {
      handle.close(nothing);
      sent(error);
    });
    return () => handle.close(nothing);
  }

  /** The handle belongs to somebody else now, and nobody here hears of it any more. */
  #leave(): TcpHandle {
    this.#paused = true;
    this.#stopReading();
    this.#over = true;
    this.#shareBuffer();
    this.handler = NO_HANDLER;
    this.#handle.owner = undefined;
    return this.#handle;
  }

  // ---- reading ----

  #startReading(): void {
    if (this.#reading || this.#readEnded || this.#over) return;
    this.#reading = true;
    const status = this.#handle.readStart();
    if (status !== 0) this.#fail(status, 'read');
  }

  #stopReading(): void {
    if (!this.#reading || this.#over) return;
    this.#reading = false;
    this.#handle.readStop();
  }

  static #onRead(this: TcpHandle): Uint8Array | undefined {
    const channel = this.owner as HandleChannel | undefined;
    return channel === undefined ? undefined : channel.#read(tcp!.bytesRead());
  }

  static readonly #onResumed = (channel: HandleChannel): void => {
    const ahead = channel.#ahead;
    if (channel.#paused || channel.#over) return;
    channel.#ahead = undefined;
    if (ahead !== undefined) channel.handler.data(ahead);
    if (!channel.#isPaused()) channel.#startReading();
  };

  /** As a method, because a handler may have paused since the compiler last looked. */
  #isPaused(): boolean {
    return this.#paused;
  }

  /**
   * Little is copied out of the buffer that all connections share, and nobody has one for himself that he does not need.
   * Much is passed on in the buffer that it came in, and the next is read into a new one.
   * @returns the buffer to read into next, if not the same
   */
  #read(length: number): Uint8Array | undefined {
    if (length <= 0) {
      if (length < 0) this.#readFailed(length);
      return undefined;
    }
    const buffer = this.#buffer;
    const isOwn = buffer !== SHARED;
    if (length < MUCH) this.#shareBuffer();
    else if (isOwn || ownBuffers < MOST_OWN_BUFFERS) {
      if (!isOwn) ownBuffers += 1;
      this.#buffer = Buffer.allocUnsafeSlow(READ_SIZE);
    }
    this.#telling = true;
    this.handler.data(isOwn && length >= MUCH ? buffer.subarray(0, length) : copyOf(buffer, length));
    this.#telling = false;
    // Stopping and starting again is three system calls, and every handshake would have them.
    if (this.#paused) this.#stopReading();
    return this.#buffer === buffer ? undefined : this.#buffer;
  }

  #shareBuffer(): void {
    if (this.#buffer !== SHARED) ownBuffers -= 1;
    this.#buffer = SHARED;
  }

  #readFailed(status: number): void {
    this.#reading = false;
    if (getSystemErrorName(status) !== 'EOF') {
      this.#fail(status, 'read');
      return;
    }
    this.#readEnded = true;
    this.handler.end(true);
    this.#closesWhenDone();
  }

  // ---- writing ----

  static readonly #onTurnOver = (channel: HandleChannel): void => {
    channel.#flush();
    if (channel.#over || channel.#inFlight === 0) return;
    if (channel.#handle.writeQueueSize < getDefaultHighWaterMark(false)) return;
    channel.#full = true;
    channel.handler.full();
  };

  #flush(): void {
    const turn = this.#turn;
    this.#turn = undefined;
    if (turn === undefined || this.#over) return;
    const request = spareRequest ?? tcp!.newWriteRequest();
    spareRequest = undefined;
    const handle = this.#handle;
    const status =
      turn.length === 1 ? handle.writeBuffer(request, turn[0]!) : handle.writev(request, turn, true);
    if (status !== 0) this.#fail(status, 'write');
    else if (tcp!.writesLater()) {
      this.#inFlight += 1;
      request.owner = this;
      request.pieces = turn;
      request.oncomplete = HandleChannel.#onWritten;
    } else spareRequest = request;
  }

  static #onWritten(this: WriteRequest, status: number): void {
    (this.owner as HandleChannel).#written(status);
  }

  #written(status: number): void {
    if (this.#over) return;
    if (status !== 0) {
      this.#fail(status, 'write');
      return;
    }
    this.#inFlight -= 1;
    if (this.#inFlight > 0) return;
    if (this.#full) {
      this.#full = false;
      this.handler.drain();
    }
    this.#closesWhenDone();
  }

  // ---- the end ----

  /** Where both sides have said all, the kernel says so for us when it closes. */
  #closesWhenDone(): boolean {
    if (this.#readEnded && this.#writeEnded && this.#inFlight === 0) this.#close();
    return this.#over;
  }

  #fail(status: number, call: string): void {
    this.#error ??= systemError(status, call);
    this.#close();
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#reading = false;
    this.#shareBuffer();
    this.#handle.close(HandleChannel.#onClosed);
  }

  static #onClosed(this: TcpHandle): void {
    (this.owner as HandleChannel).#closed();
  }

  #closed(): void {
    const { handler } = this;
    this.handler = NO_HANDLER;
    this.#handle.owner = undefined;
    handler.closed(this.#error);
  }
}

/** @returns whether all clients of this server, which listens already, are given to `accept` and not to its listeners */
export function acceptHandles(server: Server, accept: (channel: HandleChannel) => void): boolean {
  return tcp?.takeConnections(server, (handle) => accept(new HandleChannel(handle))) ?? false;
}

/**
 * @param host an IP address
 * @returns a function that gives up on the attempt, if it still runs; undefined where Node has no handles
 */
export function connectHandle(host: string, port: number, handler: ConnectHandler): (() => void) | undefined {
  if (tcp === undefined) return undefined;
  const handle = tcp.newHandle();
  let over = false;
  const complete = (status: number): void => {
    if (over) return;
    over = true;
    if (status === 0) handler.connected(new HandleChannel(handle));
    else {
      handle.close(nothing);
      handler.failed(systemError(status, 'connect', ` ${host}:${port}`));
    }
  };
  const request: Request = tcp.newConnectRequest();
  request.oncomplete = complete;
  const status = host.includes(':')
    ? handle.connect6(request, host, port)
    : handle.connect(request, host, port);
  // Not before the caller has the means to give up.
  if (status !== 0) process.nextTick(complete, status);
  return () => {
    if (over) return;
    over = true;
    handle.close(nothing);
  };
}

function systemError(status: number, call: string, where = ''): Error {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${call} ${code}${where}`), { code, syscall: call });
}

function copyOf(buffer: Buffer, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  buffer.copy(bytes, 0, 0, length);
  return bytes;
}

const NOTHING = Buffer.alloc(0);

function nothing(): void {
  // There is nobody to tell.
}

/** Most writes are over when they return, and leave their request for the next. */
let spareRequest: WriteRequest | undefined;

/** Bytes to read at most at a time, as libuv proposes. */
const READ_SIZE = 65_536;
/** Bytes from which it is cheaper to give the buffer away than to copy. */
const MUCH = 16_384;
/** Connections that may have a buffer of their own; one that is silent after much has come keeps it. */
const MOST_OWN_BUFFERS = 64;
let ownBuffers = 0;
const SHARED = Buffer.allocUnsafeSlow(READ_SIZE);
