/**
 * TCP connections as Node's own node:net has them: the handles of libuv that are below its sockets, without sockets and
 * streams on top. A connection of a proxy is two of them, and it has no use for the rest: measured on Node 20, accepting
 * a client and connecting to a backend takes 60 to 100 us of CPU less without it, and each leaves less to collect.
 *
 * Node does not document them. They have been the same since Node 12 and are in 20, 22 and 24; where one of them is
 * missing, or Node says no, there are none, and whoever asks goes on with node:net.
 */
import type { Server, Socket } from 'node:net';

/** libuv's uv_tcp_t. What returns a number returns 0, or a negative error of libuv's. */
export interface TcpHandle {
  /** Told of `bytesRead`; what it returns, if anything, is the buffer to read into next. */
  onread: (this: TcpHandle) => Uint8Array | undefined;
  /** Where all is read into until `onread` returns another. Whoever gives it keeps it from being collected. */
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  writev(request: WriteRequest, pieces: readonly Uint8Array[], allBuffers: true): number;
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize: number;
  shutdown(request: Request): number;
  connect(request: Request, address: string, port: number): number;
  connect6(request: Request, address: string, port: number): number;
  setNoDelay(on: boolean): number;
  getpeername(into: SocketName): number;
  getsockname(into: SocketName): number;
  close(closed: (this: TcpHandle) => void): void;
  /** Whose it is. */
  owner?: unknown;
}

/** Alive until it is answered. */
export interface Request {
  oncomplete: (this: this, status: number) => void;
  owner?: unknown;
}

export interface WriteRequest extends Request {
  /** Kept for as long as the kernel has not taken all of it. */
  pieces?: readonly Uint8Array[];
}

export interface SocketName {
  address: string | undefined;
  family: string | undefined;
  port: number | undefined;
}

/** To be filled in; with all that comes into it from the beginning, since adding it takes longer than the system call. */
export function newSocketName(): SocketName {
  return { address: undefined, family: undefined, port: undefined };
}

interface Tcp {
  newHandle(): TcpHandle;
  newConnectRequest(): Request;
  newWriteRequest(): WriteRequest;
  newShutdownRequest(): Request;
  /** In `onread`: how many bytes came, or a negative error of libuv's. */
  bytesRead(): number;
  /** After a write: whether the request is answered later, or the kernel has taken all. */
  writesLater(): boolean;
  /** @returns whether the handles of new connections come here; else they come to the server as sockets */
  takeConnections(server: Server, take: (handle: TcpHandle) => void): boolean;
}

interface TcpWrap {
  readonly TCP: new (type: number) => TcpHandle;
  readonly TCPConnectWrap: new () => Request;
  readonly constants: { readonly SOCKET: number };
}

interface StreamWrap {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => Request;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

type OnConnection = (this: unknown, status: number, handle: TcpHandle | undefined) => void;

function load(): Tcp | undefined {
  const { binding } = process as unknown as { binding?: (name: string) => unknown };
  try {
    const { TCP, TCPConnectWrap, constants } = binding!('tcp_wrap') as TcpWrap;
    const stream = binding!('stream_wrap') as StreamWrap;
    const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = stream;
    const all = METHODS.every((name) => name in TCP.prototype);
    const constructors = [TCPConnectWrap, WriteWrap, ShutdownWrap].every((one) => typeof one === 'function');
    const numbers = [
      constants.SOCKET,
      streamBaseState[kReadBytesOrError],
      streamBaseState[kLastWriteWasAsync],
    ];
    if (!all || !constructors || !numbers.every((one) => typeof one === 'number')) return undefined;
    return {
      newHandle: () => new TCP(constants.SOCKET),
      newConnectRequest: () => new TCPConnectWrap(),
      newWriteRequest: () => new WriteWrap(),
      newShutdownRequest: () => new ShutdownWrap(),
      bytesRead: () => streamBaseState[kReadBytesOrError]!,
      writesLater: () => streamBaseState[kLastWriteWasAsync] !== 0,
      takeConnections,
    };
  } catch {
    return undefined;
  }
}

function takeConnections(server: Server, take: (handle: TcpHandle) => void): boolean {
  const { _handle: listening } = server as unknown as { _handle?: { onconnection?: OnConnection } | null };
  const onSocket = listening?.onconnection;
  if (typeof onSocket !== 'function') return false;
  listening!.onconnection = function (status, handle) {
    if (status === 0 && handle !== undefined) take(handle);
    else onSocket.call(this, status, handle);
  };
  return true;
}

/** A socket that is paused reads on until it is full, which one must not that another process will read. */
export function stopReading(socket: Socket): void {
  const { _handle: handle } = socket as { _handle?: { readStop?: () => number } | null };
  handle?.readStop?.();
}

const METHODS = [
  'onread',
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeBuffer',
  'writev',
  'writeQueueSize',
  'shutdown',
  'connect',
  'connect6',
  'setNoDelay',
  'getpeername',
  'getsockname',
  'close',
] as const satisfies (keyof TcpHandle)[];

/** Undefined where Node has none that we know. */
export const tcp = load();
