/** The mail server of the demo: accepts every message, stores none, and logs the TLS of each. */
import { createHash } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { Log } from '../observe/log.js';
import { sanitizePeerText } from '../observe/sanitize.js';
import { decodeProxyHeader } from '../proxy-protocol/decode.js';
import type { ProxyHeader } from '../proxy-protocol/header.js';
import { connectionInfo, type ConnectionInfo } from '../proxy-protocol/tlv.js';

export interface Sink {
  readonly port: number;
  close(): void;
}

/** Content of a connection's PROXY header, kept until its session ends. */
interface Origin {
  readonly address: string;
  readonly facts: ConnectionInfo;
}

/** Listens on a free loopback port and expects a PROXY header on each connection. */
export function startSink(log: Log, hostname: string): Promise<Sink> {
  const origins = new Map<number, Origin>();
  const smtp = new SMTPServer({
    name: hostname,
    banner: 'oldhello demo sink',
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    size: MAX_MESSAGE_BYTES,
    logger: false,
    onData: (stream, session, done) =>
      receiveMessage(stream, session, origins.get(session.remotePort), log, done),
    onClose: (session) => origins.delete(session.remotePort),
  });
  smtp.on('error', ignore);
  const front = createServer({ pauseOnConnect: true }, (socket) => {
    readHeader(socket, (header) => {
      const address = header.source?.address ?? 'unknown';
      origins.set(socket.remotePort ?? 0, { address, facts: connectionInfo(header.tlvs ?? []) });
      smtp.server.emit('connection', socket);
    });
  });
  return new Promise((resolve, reject) => {
    front.once('error', reject);
    front.listen(0, '127.0.0.1', () => {
      resolve({ port: (front.address() as AddressInfo).port, close: () => front.close() });
    });
  });
}

function readHeader(socket: Socket, done: (header: ProxyHeader) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), HEADER_TIMEOUT_MS);
  socket.on('error', ignore);
  socket.once('close', () => clearTimeout(timer));
  socket.on('data', function read(chunk: Buffer) {
    bytes = Buffer.concat([bytes, chunk]);
    const decoded = decodeProxyHeader(bytes);
    if ('need' in decoded) return;
    socket.off('data', read).pause();
    clearTimeout(timer);
    if ('malformed' in decoded) {
      socket.destroy();
      return;
    }
    if (bytes.length > decoded.consumed) socket.unshift(bytes.subarray(decoded.consumed));
    done(decoded.header);
  });
  socket.resume();
}

function receiveMessage(
  stream: SMTPServerDataStream,
  { envelope, hostNameAppearsAs }: SMTPServerSession,
  origin: Origin | undefined,
  log: Log,
  done: (error?: Error | null) => void,
): void {
  let size = 0;
  const digest = createHash('sha256');
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    digest.update(chunk);
  });
  stream.on('end', () => {
    if (stream.sizeExceeded) {
      done(Object.assign(new Error('message too large'), { responseCode: 552 }));
      return;
    }
    log('delivered', {
      from: sanitizePeerText(envelope.mailFrom === false ? '' : envelope.mailFrom.address),
      to: envelope.rcptTo.map(({ address }) => sanitizePeerText(address)),
      size,
      sha256: digest.digest('hex'),
      helo: sanitizePeerText(hostNameAppearsAs),
      client: origin?.address,
      connection: origin?.facts.uniqueId,
      hello: origin?.facts.helloFormat,
      tls: origin?.facts.ssl,
    });
    done();
  });
}

const ignore = (): void => undefined;

/** Bytes; announced with SIZE. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
/** oldhello sends the header at once. */
const HEADER_TIMEOUT_MS = 5_000;
