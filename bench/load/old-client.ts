/**
 * The client half of a TLS 1.0 handshake, as cheap as JavaScript can make it, so that the server is what a benchmark
 * measures: the premaster secret is encrypted once and used for ever, nothing is verified, and what could be computed
 * beforehand is.
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  publicEncrypt,
  X509Certificate,
  type ECDH,
} from 'node:crypto';
import { prfTls10 } from '../../src/tls/crypto/prf.js';
import { Rc4 } from '../../src/tls/crypto/rc4.js';
import { alertName } from '../../src/tls/wire-format.js';

export type SuiteName =
  'AES128-SHA' | 'RC4-MD5' | 'DES-CBC3-SHA' | 'CAMELLIA128-SHA' | 'ECDHE-RSA-AES128-SHA';

export interface OldSession {
  readonly id: Buffer;
  readonly masterSecret: Buffer;
}

interface Suite {
  readonly id: number;
  readonly mac: 'sha1' | 'md5';
  readonly macLength: number;
  readonly keyLength: number;
  readonly ivLength: number;
  readonly cipher: string | undefined;
}

const SUITES: Record<SuiteName, Suite> = {
  'AES128-SHA': {
    id: 0x002f,
    mac: 'sha1',
    macLength: 20,
    keyLength: 16,
    ivLength: 16,
    cipher: 'aes-128-cbc',
  },
  'RC4-MD5': { id: 0x0004, mac: 'md5', macLength: 16, keyLength: 16, ivLength: 0, cipher: undefined },
  'DES-CBC3-SHA': {
    id: 0x000a,
    mac: 'sha1',
    macLength: 20,
    keyLength: 24,
    ivLength: 8,
    cipher: 'des-ede3-cbc',
  },
  'CAMELLIA128-SHA': {
    id: 0x0041,
    mac: 'sha1',
    macLength: 20,
    keyLength: 16,
    ivLength: 16,
    cipher: 'camellia-128-cbc',
  },
  'ECDHE-RSA-AES128-SHA': {
    id: 0xc013,
    mac: 'sha1',
    macLength: 20,
    keyLength: 16,
    ivLength: 16,
    cipher: 'aes-128-cbc',
  },
};

interface Direction {
  seal(type: number, content: Buffer): Buffer;
  open(fragment: Buffer): Buffer;
}

/** Bytes in (`receive`), bytes out (returned); one a connection. */
export class OldClient {
  static #encrypted: Buffer | undefined;
  static #ecdh: ECDH | undefined;
  readonly #suite: Suite;
  readonly #offered: OldSession | undefined;
  #transcript: Buffer[] = [];
  #pending: Buffer = Buffer.alloc(0);
  #serverRandom: Buffer = RANDOM;
  #sessionId: Buffer = Buffer.alloc(0);
  #serverPoint: Buffer | undefined;
  #masterSecret: Buffer | undefined;
  #read: Direction | undefined;
  #write: Direction | undefined;
  #nextRead: Direction | undefined;
  established = false;
  resumed = false;

  constructor(suite: SuiteName, session?: OldSession) {
    this.#suite = SUITES[suite];
    this.#offered = session;
  }

  get session(): OldSession {
    return { id: this.#sessionId, masterSecret: this.#masterSecret! };
  }

  /** In SSLv2 format, or as a record where a session is offered or the suite wants extensions. */
  hello(): Buffer {
    const { id } = this.#suite;
    if (this.#offered === undefined && id < 0xc000) {
      const body = Buffer.concat([Buffer.from([1, 3, 1, 0, 3, 0, 0, 0, 32, 0, id >> 8, id & 0xff]), RANDOM]);
      this.#transcript.push(body);
      return Buffer.concat([Buffer.from([0x80, body.length]), body]);
    }
    const session = this.#offered?.id ?? Buffer.alloc(0);
    const message = handshake(
      1,
      Buffer.concat([
        Buffer.from([3, 1]),
        RANDOM,
        Buffer.from([session.length]),
        session,
        Buffer.from([0, 2, id >> 8, id & 0xff, 1, 0]),
        id < 0xc000 ? Buffer.alloc(0) : EC_EXTENSIONS,
      ]),
    );
    this.#transcript.push(message);
    return record(22, message);
  }

  /** @returns what to send, which may be nothing; `data` gets plaintext */
  receive(bytes: Buffer, data: (plaintext: Buffer) => void): Buffer {
    let pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    let answer: Buffer = NOTHING;
    while (pending.length >= 5 && pending.length >= 5 + pending.readUInt16BE(3)) {
      const end = 5 + pending.readUInt16BE(3);
      const type = pending[0]!;
      const fragment = pending.subarray(5, end);
      pending = pending.subarray(end);
      const content = this.#read === undefined ? fragment : this.#read.open(fragment);
      if (type === 21 && content[0] === 2) throw new Error(`it sent the alert ${alertName(content[1]!)}`);
      else if (type === 20) this.#read = this.#keysFor().read;
      else if (type === 22) answer = Buffer.concat([answer, this.#messages(content)]);
      else if (type === 23 && content.length > 0) data(content);
    }
    this.#pending = pending;
    return answer;
  }

  send(plaintext: Buffer): Buffer {
    return this.#write!.seal(23, plaintext);
  }

  closeNotify(): Buffer {
    return this.#write!.seal(21, Buffer.from([1, 0]));
  }

  #messages(content: Buffer): Buffer {
    let answer: Buffer = NOTHING;
    for (let at = 0; at < content.length;) {
      const end = at + 4 + content.readUIntBE(at + 1, 3);
      const message = content.subarray(at, end);
      const type = message[0]!;
      at = end;
      this.#transcript.push(message);
      if (type === 2) this.#serverHello(message);
      else if (type === 11) OldClient.#encrypted ??= encryptPremaster(message);
      else if (type === 12) this.#serverPoint = message.subarray(8, 8 + message[7]!);
      else if (type === 14) answer = this.#secondFlight();
      else if (type === 20) {
        this.established = true;
        if (this.resumed) answer = this.#finish([]);
      }
    }
    return answer;
  }

  #serverHello(message: Buffer): void {
    this.#serverRandom = Buffer.from(message.subarray(6, 38));
    this.#sessionId = Buffer.from(message.subarray(39, 39 + message[38]!));
    this.resumed = this.#offered !== undefined && this.#offered.id.equals(this.#sessionId);
    if (this.resumed) this.#masterSecret = this.#offered!.masterSecret;
  }

  #secondFlight(): Buffer {
    const ecdh = this.#suite.id >= 0xc000;
    let premaster = PREMASTER;
    let body: Buffer;
    if (ecdh) {
      OldClient.#ecdh ??= newEcdh();
      premaster = OldClient.#ecdh.computeSecret(this.#serverPoint!);
      const own = OldClient.#ecdh.getPublicKey();
      body = Buffer.concat([Buffer.from([own.length]), own]);
    } else {
      const encrypted = OldClient.#encrypted!;
      body = Buffer.concat([Buffer.from([encrypted.length >> 8, encrypted.length & 0xff]), encrypted]);
    }
    const seed = Buffer.concat([RANDOM, this.#serverRandom]);
    this.#masterSecret = prfTls10(premaster, 'master secret', seed, 48);
    const message = handshake(16, body);
    this.#transcript.push(message);
    return this.#finish([record(22, message)]);
  }

  #finish(before: Buffer[]): Buffer {
    const keys = this.#keysFor();
    const hash = createHash('md5-sha1');
    for (const message of this.#transcript) hash.update(message);
    const finished = handshake(20, prfTls10(this.#masterSecret!, 'client finished', hash.digest(), 12));
    this.#transcript.push(finished);
    this.#write = keys.write;
    return Buffer.concat([...before, record(20, Buffer.from([1])), keys.write.seal(22, finished)]);
  }

  #keysFor(): { read: Direction; write: Direction } {
    if (this.#nextRead !== undefined) return { read: this.#nextRead, write: this.#write! };
    const { macLength, keyLength, ivLength } = this.#suite;
    const length = 2 * (macLength + keyLength + ivLength);
    const seed = Buffer.concat([this.#serverRandom, RANDOM]);
    const block = prfTls10(this.#masterSecret!, 'key expansion', seed, length);
    let at = 0;
    const take = (bytes: number): Buffer => block.subarray(at, (at += bytes));
    const [clientMac, serverMac] = [take(macLength), take(macLength)];
    const [clientKey, serverKey] = [take(keyLength), take(keyLength)];
    const [clientIv, serverIv] = [take(ivLength), take(ivLength)];
    this.#nextRead = direction(this.#suite, serverMac, serverKey, serverIv, 'read');
    this.#write = direction(this.#suite, clientMac, clientKey, clientIv, 'write');
    return { read: this.#nextRead, write: this.#write };
  }
}

/** The server's MAC is not checked. */
function direction(
  { cipher, mac, macLength }: Suite,
  macKey: Buffer,
  key: Buffer,
  iv: Buffer,
  way: 'read' | 'write',
): Direction {
  const header = Buffer.alloc(13);
  header.writeUInt16BE(0x0301, 9);
  let sequence = 0;
  const rc4 = cipher === undefined ? new Rc4(key) : undefined;
  const block =
    cipher === undefined
      ? undefined
      : (way === 'read' ? createDecipheriv : createCipheriv)(cipher, key, iv).setAutoPadding(false);
  return {
    seal(type, content) {
      header.writeUInt32BE(sequence++, 4);
      header[8] = type;
      header.writeUInt16BE(content.length, 11);
      const tag = createHmac(mac, macKey).update(header).update(content).digest();
      const unpadded = content.length + macLength;
      const blockLength = iv.length;
      const padding = rc4 === undefined ? blockLength - (unpadded % blockLength) : 0;
      const plain = Buffer.allocUnsafe(unpadded + padding).fill(padding - 1, unpadded);
      content.copy(plain);
      tag.copy(plain, content.length);
      if (rc4 === undefined) return record(type, block!.update(plain));
      rc4.crypt(plain);
      return record(type, plain);
    },
    open(fragment) {
      if (rc4 !== undefined) {
        rc4.crypt(fragment);
        return fragment.subarray(0, fragment.length - macLength);
      }
      const plain = block!.update(fragment);
      return plain.subarray(0, plain.length - plain[plain.length - 1]! - 1 - macLength);
    },
  };
}

function handshake(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 0, body.length >> 8, body.length & 0xff]), body]);
}

function record(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 3, 1, content.length >> 8, content.length & 0xff]), content]);
}

function encryptPremaster(certificateMessage: Buffer): Buffer {
  const certificate = certificateMessage.subarray(10, 10 + certificateMessage.readUIntBE(7, 3));
  const key = new X509Certificate(certificate).publicKey;
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, PREMASTER);
}

function newEcdh(): ECDH {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  return ecdh;
}

/** A client has no need to be hard to guess here, nor fresh. */
const RANDOM = Buffer.alloc(32, 0x5a);
const PREMASTER = Buffer.concat([Buffer.from([3, 1]), Buffer.alloc(46, 0xa5)]);
/** supported_groups with P-256, ec_point_formats with uncompressed (RFC 8422, 5.1). */
const EC_EXTENSIONS = Buffer.from('000e000a000400020017000b00020100', 'hex');
const NOTHING = Buffer.alloc(0);
