/**
 * A TLS client in memory that does what it is told, right or wrong: every message can be taken apart, left out, repeated
 * or sent at the wrong time. It shares no code with the engine but the table of suites.
 */
import {
  createDiffieHellman,
  createECDH,
  constants,
  diffieHellman,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { CIPHER_SUITE_BY_ID, MAC_LENGTHS, type CipherSuite } from '../../src/tls/cipher-suites.js';
import { record, ReferenceProtection, type ReferenceOptions } from './reference-protection.js';
import { derive, handshakeHash, verifyData, type Derivation } from './reference-secrets.js';

export interface HelloOptions {
  readonly format?: 'sslv2' | 'record';
  readonly version?: number;
  readonly suites?: readonly number[];
  readonly random?: Buffer;
  readonly challenge?: Buffer;
  readonly sessionId?: Buffer;
  readonly compression?: readonly number[];
  /** Undefined for no extension block at all. */
  readonly extensions?: readonly (readonly [type: number, body: Buffer])[];
}

export interface ServerFlight {
  readonly version: number;
  readonly sessionId: Buffer;
  readonly suite: CipherSuite;
  readonly extensions: ReadonlyMap<number, Buffer>;
}

export const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const vector8 = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from([bytes.length]), bytes]);
export const vector16 = (bytes: Uint8Array): Buffer => Buffer.concat([u16(bytes.length), bytes]);

export function handshakeMessage(type: number, body: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from([type, body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff]),
    body,
  ]);
}

/** The body of a ClientHello, or the whole SSLv2-format message without its length. */
export function helloBody(options: HelloOptions): Buffer {
  const { format = 'record', version = 0x0301, suites = [0x002f], extensions } = options;
  if (format === 'sslv2') {
    const { challenge = randomBytes(32), sessionId = Buffer.alloc(0) } = options;
    const specs = Buffer.concat(
      suites.map((suite) => Buffer.from([suite >> 16, (suite >> 8) & 0xff, suite & 0xff])),
    );
    const lengths = [specs, sessionId, challenge].map(({ length }) => u16(length));
    return Buffer.concat([Buffer.from([1]), u16(version), ...lengths, specs, sessionId, challenge]);
  }
  const { random = randomBytes(32), sessionId = Buffer.alloc(0), compression = [0] } = options;
  const parts = [u16(version), random, vector8(sessionId), vector16(Buffer.concat(suites.map(u16)))];
  parts.push(vector8(Buffer.from(compression)));
  if (extensions !== undefined) {
    const block = extensions.map(([type, body]) => Buffer.concat([u16(type), vector16(body)]));
    parts.push(vector16(Buffer.concat(block)));
  }
  return Buffer.concat(parts);
}

export class TestClient {
  readonly options: HelloOptions;
  /** Everything hashed so far. */
  transcript: Buffer = Buffer.alloc(0);
  /** What the server said, as types of messages, alerts and data. */
  readonly messages: number[] = [];
  readonly alerts: { level: number; description: number }[] = [];
  data: Buffer = Buffer.alloc(0);
  server: ServerFlight | undefined;
  ticket: Buffer | undefined;
  /** True when the server's Finished was right. */
  serverFinished = false;
  #clientRandom: Buffer;
  #serverRandom: Buffer = Buffer.alloc(32);
  #certificate: X509Certificate | undefined;
  #serverKeyExchange: Buffer | undefined;
  master: Buffer | undefined;
  #read: ReferenceProtection | undefined;
  #write: ReferenceProtection | undefined;
  #pending: Buffer = Buffer.alloc(0);
  #handshake: Buffer = Buffer.alloc(0);

  constructor(options: HelloOptions = {}) {
    const random = options.random ?? randomBytes(32);
    const challenge = options.challenge ?? randomBytes(32);
    this.options = { ...options, random, challenge };
    this.#clientRandom = options.format === 'sslv2' ? rightJustified(challenge) : random;
  }

  /** The first bytes on the wire. */
  hello(): Buffer {
    const body = helloBody(this.options);
    if (this.options.format === 'sslv2') {
      this.transcript = body;
      return Buffer.concat([u16(0x8000 | body.length), body]);
    }
    const message = handshakeMessage(1, body);
    this.transcript = message;
    return record(22, 0x0301, message);
  }

  /** Reads what the server sends, decrypting where it must. */
  receive(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    while (this.#pending.length >= 5 && this.#pending.length >= 5 + this.#pending.readUInt16BE(3)) {
      const end = 5 + this.#pending.readUInt16BE(3);
      const type = this.#pending[0]!;
      const fragment = this.#pending.subarray(5, end);
      this.#pending = this.#pending.subarray(end);
      this.#receiveRecord(type, this.#read === undefined ? fragment : this.#read.open(type, fragment));
    }
  }

  get derivation(): Derivation {
    return { version: this.server!.version, prf: this.server!.suite.prf };
  }

  /** The body of a right ClientKeyExchange, and with it the master secret. */
  clientKeyExchange(premasterVersion = this.options.version ?? 0x0301): Buffer {
    const { body, premaster } = this.#keyExchange(premasterVersion);
    const message = handshakeMessage(16, body);
    const extended = this.server!.extensions.has(23);
    const seed = extended
      ? handshakeHash(this.derivation, Buffer.concat([this.transcript, message]))
      : Buffer.concat([this.#clientRandom, this.#serverRandom]);
    this.master = derive(
      this.derivation,
      premaster,
      extended ? 'extended master secret' : 'master secret',
      seed,
      48,
    );
    return body;
  }

  /** A handshake message as a record of its own, hashed, under the keys in force. */
  send(type: number, body: Uint8Array): Buffer {
    const message = handshakeMessage(type, body);
    this.transcript = Buffer.concat([this.transcript, message]);
    return this.seal(22, message);
  }

  changeCipherSpec(): Buffer {
    return this.seal(20, Buffer.of(1));
  }

  finished(): Buffer {
    return this.send(20, this.#verifyData());
  }

  /** What `finished` puts into a record, to be put there in another way. */
  finishedMessage(): Buffer {
    return handshakeMessage(20, this.#verifyData());
  }

  /** ClientKeyExchange, ChangeCipherSpec and Finished, all right. */
  secondFlight(): Buffer {
    const keyExchange = this.send(16, this.clientKeyExchange());
    const changeCipherSpec = this.changeCipherSpec();
    this.protectWrites();
    return Buffer.concat([keyExchange, changeCipherSpec, this.finished()]);
  }

  /** Goes on with a session: the keys come from its master secret. */
  resume(master: Buffer): void {
    this.master = master;
  }

  protectWrites(override: Partial<ReferenceOptions> = {}): void {
    this.#write = new ReferenceProtection({ ...this.#protection('client'), ...override });
  }

  seal(type: number, content: Uint8Array, override: Partial<ReferenceOptions> = {}): Buffer {
    const version = this.server?.version ?? 0x0301;
    return this.#write === undefined
      ? record(type, version, content)
      : this.#write.seal(type, content, override);
  }

  #verifyData(): Buffer {
    return verifyData(this.derivation, this.master!, this.transcript, 'client');
  }

  #receiveRecord(type: number, content: Buffer): void {
    if (type === 21) this.alerts.push({ level: content[0]!, description: content[1]! });
    else if (type === 23) this.data = Buffer.concat([this.data, content]);
    else if (type === 20) this.#read = new ReferenceProtection(this.#protection('server'));
    else {
      this.#handshake = Buffer.concat([this.#handshake, content]);
      while (this.#handshake.length >= 4 && this.#handshake.length >= 4 + this.#handshake.readUIntBE(1, 3)) {
        const end = 4 + this.#handshake.readUIntBE(1, 3);
        const message = this.#handshake.subarray(0, end);
        this.#handshake = this.#handshake.subarray(end);
        this.#receiveMessage(message);
      }
    }
  }

  #receiveMessage(message: Buffer): void {
    const type = message[0]!;
    const body = message.subarray(4);
    this.messages.push(type);
    if (type === 2) this.#readServerHello(body);
    else if (type === 4) this.ticket = Buffer.from(body.subarray(6));
    else if (type === 11)
      this.#certificate = new X509Certificate(body.subarray(6, 6 + body.readUIntBE(3, 3)));
    else if (type === 12) this.#serverKeyExchange = Buffer.from(body);
    else if (type === 20) {
      this.serverFinished = body.equals(verifyData(this.derivation, this.master!, this.transcript, 'server'));
    }
    this.transcript = Buffer.concat([this.transcript, message]);
  }

  #readServerHello(body: Buffer): void {
    this.#serverRandom = Buffer.from(body.subarray(2, 34));
    const idEnd = 35 + body[34]!;
    const extensions = new Map<number, Buffer>();
    for (let at = idEnd + 5; at < body.length;) {
      const length = body.readUInt16BE(at + 2);
      extensions.set(body.readUInt16BE(at), body.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    this.server = {
      version: body.readUInt16BE(0),
      sessionId: Buffer.from(body.subarray(35, idEnd)),
      suite: CIPHER_SUITE_BY_ID.get(body.readUInt16BE(idEnd))!,
      extensions,
    };
  }

  get serverRandom(): Buffer {
    return this.#serverRandom;
  }

  get certificate(): X509Certificate {
    return this.#certificate!;
  }

  #keyExchange(premasterVersion: number): { body: Buffer; premaster: Buffer } {
    const params = this.#serverKeyExchange;
    switch (this.server!.suite.keyExchange) {
      case 'rsa': {
        const premaster = Buffer.concat([u16(premasterVersion), randomBytes(46)]);
        const key = { key: this.#certificate!.publicKey, padding: constants.RSA_PKCS1_PADDING };
        const encrypted = publicEncrypt(key, premaster);
        return { body: this.server!.version === 0x0300 ? encrypted : vector16(encrypted), premaster };
      }
      case 'dhe': {
        const pLength = params!.readUInt16BE(0);
        const prime = params!.subarray(2, 2 + pLength);
        const gEnd = 4 + pLength + params!.readUInt16BE(2 + pLength);
        const peer = params!.subarray(gEnd + 2, gEnd + 2 + params!.readUInt16BE(gEnd));
        const dh = createDiffieHellman(prime, params!.subarray(4 + pLength, gEnd));
        const publicValue = dh.generateKeys();
        const secret = dh.computeSecret(peer);
        const first = secret.findIndex((byte) => byte !== 0);
        return { body: vector16(publicValue), premaster: secret.subarray(first) };
      }
      case 'ecdhe':
        return ecdheKeyExchange(params!.readUInt16BE(1), params!.subarray(4, 4 + params![3]!));
    }
  }

  #protection(side: 'client' | 'server'): ReferenceOptions {
    const { suite, version, extensions } = this.server!;
    const macLength = suite.mac === undefined ? 0 : MAC_LENGTHS[suite.mac];
    const { bulk } = suite;
    const ivLength =
      bulk.kind === 'aead'
        ? bulk.fixedIvLength
        : bulk.kind === 'cbc' && version <= 0x0301
          ? bulk.blockLength
          : 0;
    const lengths = [macLength, macLength, bulk.keyLength, bulk.keyLength, ivLength, ivLength];
    const seed = Buffer.concat([this.#serverRandom, this.#clientRandom]);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const block = derive(this.derivation, this.master!, 'key expansion', seed, total);
    let at = 0;
    const parts = lengths.map((length) => block.subarray(at, (at += length)));
    const index = side === 'client' ? 0 : 1;
    const keys = { macKey: parts[index]!, key: parts[2 + index]!, iv: parts[4 + index]! };
    return { version, suite, keys, encryptThenMac: extensions.has(22) };
  }
}

function ecdheKeyExchange(group: number, peer: Buffer): { body: Buffer; premaster: Buffer } {
  if (group === 29) {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    const prefix = Buffer.from('302a300506032b656e032100', 'hex');
    const peerKey = createPublicKey({ key: Buffer.concat([prefix, peer]), format: 'der', type: 'spki' });
    const own = publicKey.export({ type: 'spki', format: 'der' }).subarray(prefix.length);
    return { body: vector8(own), premaster: diffieHellman({ privateKey, publicKey: peerKey }) };
  }
  const ecdh = createECDH(group === 23 ? 'prime256v1' : 'secp384r1');
  const own = ecdh.generateKeys();
  return { body: vector8(own), premaster: ecdh.computeSecret(peer) };
}

function rightJustified(challenge: Buffer): Buffer {
  const random = Buffer.alloc(32);
  challenge.subarray(-32).copy(random, 32 - Math.min(32, challenge.length));
  return random;
}
