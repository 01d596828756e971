/** Follows the TCP connections of a capture, in bounded memory, until their readers have seen enough. */
import { readTcpSegment, type Endpoint, type TcpSegment } from './tcp-segment.js';
import { TcpStream, type StreamReader } from './tcp-stream.js';

export interface Opened {
  readonly timeMs: number;
  readonly client: Endpoint;
  readonly server: Endpoint;
}

export type Ending = 'client_closed' | 'client_reset' | 'server_closed' | 'server_reset' | 'capture_ended';

/** The two directions of one connection, and its end. */
export interface ConnectionReader {
  readonly fromClient: StreamReader;
  readonly fromServer: StreamReader;
  /** Nothing that follows would change the result. */
  readonly isDone: boolean;
  end(how: Ending): void;
}

interface Followed {
  readonly key: string;
  readonly otherKey: string;
  readonly reader: ConnectionReader;
  readonly fromClient: TcpStream;
  readonly fromServer: TcpStream;
  readonly synSequence: number | undefined;
  ending: Ending | undefined;
}

/** @returns undefined for a connection that is of no interest; addresses are valid until it returns */
export type OpenReader = (opened: Opened) => ConnectionReader | undefined;

export class TcpConnections {
  readonly #open: OpenReader;
  readonly #capacity: number;
  /** By the client's direction; the oldest first. */
  readonly #byClient = new Map<string, Followed>();
  readonly #byServer = new Map<string, Followed>();
  /** Bytes of all streams that wait for a hole to be filled. */
  #pendingLength = 0;

  constructor(open: OpenReader, capacity: number = MAX_CONNECTIONS) {
    this.#open = open;
    this.#capacity = capacity;
  }

  /** @param packet an IP packet @returns whether it was a TCP segment that could be read */
  push(timeMs: number, packet: Buffer): boolean {
    const segment = readTcpSegment(packet);
    if (segment === undefined) return false;
    const { forward } = segment;
    const fromClient = this.#byClient.get(forward);
    if (fromClient !== undefined && !isNewConnection(segment, fromClient)) {
      this.#segment(fromClient, segment, true);
      return true;
    }
    const fromServer = this.#byServer.get(forward);
    if (fromServer !== undefined) {
      this.#segment(fromServer, segment, false);
      return true;
    }
    if (fromClient !== undefined) this.#finish(fromClient, fromClient.ending ?? 'client_closed');
    this.#begin(timeMs, segment);
    return true;
  }

  end(): void {
    for (const followed of [...this.#byClient.values()]) {
      this.#finish(followed, followed.ending ?? 'capture_ended');
    }
  }

  #begin(timeMs: number, segment: TcpSegment): void {
    const isFromClient = directionOf(segment);
    if (isFromClient === undefined) return;
    const { source, destination, forward, backward, sequence, syn } = segment;
    const [client, server] = isFromClient ? [source, destination] : [destination, source];
    const reader = this.#open({ timeMs, client, server });
    if (reader === undefined) return;
    if (this.#byClient.size >= this.#capacity) this.#finishOldest();
    const followed: Followed = {
      key: isFromClient ? forward : backward,
      otherKey: isFromClient ? backward : forward,
      reader,
      fromClient: new TcpStream(reader.fromClient),
      fromServer: new TcpStream(reader.fromServer),
      synSequence: syn && isFromClient ? sequence : undefined,
      ending: undefined,
    };
    this.#byClient.set(followed.key, followed);
    this.#byServer.set(followed.otherKey, followed);
    this.#segment(followed, segment, isFromClient);
  }

  #segment(followed: Followed, segment: TcpSegment, isFromClient: boolean): void {
    const { sequence, payload, missing, syn, fin, rst } = segment;
    const stream = isFromClient ? followed.fromClient : followed.fromServer;
    if (syn) stream.begin(sequence);
    this.#pendingLength -= stream.pendingLength;
    stream.push(syn ? sequence + 1 : sequence, payload, missing);
    this.#pendingLength += stream.pendingLength;
    if (rst) {
      this.#finish(followed, isFromClient ? 'client_reset' : 'server_reset');
      return;
    }
    if (fin) {
      // The second one ends it; the first one says which side closed.
      const isSecond = followed.ending !== undefined && followed.ending.startsWith('client') !== isFromClient;
      followed.ending ??= isFromClient ? 'client_closed' : 'server_closed';
      if (isSecond) this.#finish(followed, followed.ending);
    } else if (followed.reader.isDone) {
      this.#finish(followed, 'capture_ended');
    }
    if (this.#pendingLength > MAX_PENDING_TOTAL_BYTES) this.#finishOldest();
  }

  #finishOldest(): void {
    const [oldest] = this.#byClient.values();
    if (oldest !== undefined) this.#finish(oldest, oldest.ending ?? 'capture_ended');
  }

  #finish(followed: Followed, ending: Ending): void {
    const { key, otherKey, fromClient, fromServer, reader } = followed;
    if (this.#byClient.get(key) !== followed) return;
    this.#byClient.delete(key);
    this.#byServer.delete(otherKey);
    this.#pendingLength -= fromClient.pendingLength + fromServer.pendingLength;
    fromClient.end();
    fromServer.end();
    reader.end(ending);
  }
}

/** A port that is used again: another SYN than the one this connection began with. */
function isNewConnection({ syn, ack, sequence }: TcpSegment, { synSequence }: Followed): boolean {
  return syn && !ack && sequence !== synSequence;
}

/**
 * Which side sent a segment of a connection that is not followed yet. A connection whose beginning was not captured
 * is followed from a greeting, an SMTP greeting command or a ClientHello on, and not otherwise.
 */
function directionOf({ syn, ack, payload }: TcpSegment): boolean | undefined {
  if (syn) return !ack;
  if (payload.length < MIN_BEGINNING_BYTES) return undefined;
  if (
    isClientHello(payload) ||
    isSslv2Hello(payload) ||
    /^(?:EHLO|HELO) /i.test(payload.toString('latin1', 0, 5))
  )
    return true;
  return /^220[ -]/.test(payload.toString('latin1', 0, 4)) ? false : undefined;
}

/** RFC 5246, 6.2.1 and 7.4: a handshake record that begins with a ClientHello as long as the record, or longer. */
function isClientHello(payload: Buffer): boolean {
  const isRecord = payload[0] === 22 && payload[1] === 3 && payload[2]! <= 4;
  return (
    isRecord &&
    payload[5] === 1 &&
    payload.readUIntBE(6, 3) + 4 >= payload.readUInt16BE(3) &&
    payload[9] === 3
  );
}

/** RFC 5246, E.2: a ClientHello in SSLv2 format whose lengths add up. */
function isSslv2Hello(payload: Buffer): boolean {
  if (payload.length < SSLV2_HELLO_FIXED_LENGTH || payload[0]! < 0x80 || payload[2] !== 1) return false;
  const [specs, sessionId, challenge] = [5, 7, 9].map((at) => payload.readUInt16BE(at)) as [
    number,
    number,
    number,
  ];
  const length = payload.readUInt16BE(0) & 0x7fff;
  return specs % 3 === 0 && 2 + length === SSLV2_HELLO_FIXED_LENGTH + specs + sessionId + challenge;
}

/** With the two bytes of its length. */
const SSLV2_HELLO_FIXED_LENGTH = 11;
const MIN_BEGINNING_BYTES = 10;
/** Connections at a time whose handshake is not over. */
const MAX_CONNECTIONS = 20_000;
const MAX_PENDING_TOTAL_BYTES = 64 << 20;
