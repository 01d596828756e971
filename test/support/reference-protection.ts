/**
 * Record protection written the plain way, straight from the RFCs and with none of the engine's code: a new cipher
 * object for each record, no constant time, no chaining. What the engine does is held against this.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import type { CipherSuite } from '../../src/tls/index.js';

export interface ReferenceKeys {
  readonly macKey: Buffer;
  readonly key: Buffer;
  readonly iv: Buffer;
}

export interface ReferenceOptions {
  readonly version: number;
  readonly suite: CipherSuite;
  readonly keys: ReferenceKeys;
  readonly encryptThenMac: boolean;
  /** padding_length of CBC records, instead of the shortest. */
  readonly paddingLength?: number;
  /** What the padding bytes are, instead of padding_length. */
  readonly paddingByte?: number;
  /** What is written as padding_length, instead of what it is. */
  readonly lastByte?: number;
}

const SSL3 = 0x0300;
const TLS_1_1 = 0x0302;

export function record(type: number, version: number, fragment: Uint8Array): Buffer {
  const header = Buffer.from([
    type,
    version >> 8,
    version & 0xff,
    fragment.length >> 8,
    fragment.length & 0xff,
  ]);
  return Buffer.concat([header, fragment]);
}

/** One direction of a connection. */
export class ReferenceProtection {
  readonly #options: ReferenceOptions;
  #sequence = 0n;
  #iv: Buffer;
  readonly #rc4: ((bytes: Buffer) => Buffer) | undefined;

  constructor(options: ReferenceOptions) {
    this.#options = options;
    this.#iv = options.keys.iv;
    this.#rc4 = options.suite.bulk.kind === 'stream' ? rc4(options.keys.key) : undefined;
  }

  seal(type: number, content: Uint8Array, override: Partial<ReferenceOptions> = {}): Buffer {
    const options = { ...this.#options, ...override };
    const { suite, version } = options;
    const sequence = this.#nextSequence();
    const bytes = Buffer.from(content);
    if (suite.bulk.kind === 'aead') return record(type, version, this.#sealAead(type, bytes, sequence));
    if (suite.bulk.kind === 'stream') {
      const mac = this.#mac(type, bytes, sequence);
      return record(type, version, this.#rc4!(Buffer.concat([bytes, mac])));
    }
    if (options.encryptThenMac) {
      const ciphertext = this.#encrypt(pad(bytes, suite.bulk.blockLength, options));
      return record(type, version, Buffer.concat([ciphertext, this.#mac(type, ciphertext, sequence)]));
    }
    const mac = this.#mac(type, bytes, sequence);
    return record(
      type,
      version,
      this.#encrypt(pad(Buffer.concat([bytes, mac]), suite.bulk.blockLength, options)),
    );
  }

  /** @throws Error for anything that does not check */
  open(type: number, fragment: Buffer): Buffer {
    const { suite, encryptThenMac } = this.#options;
    const sequence = this.#nextSequence();
    if (suite.bulk.kind === 'aead') return this.#openAead(type, fragment, sequence);
    const macLength = suite.mac === undefined ? 0 : createHash(suite.mac).digest().length;
    const split = (bytes: Buffer): [Buffer, Buffer] => [
      bytes.subarray(0, bytes.length - macLength),
      bytes.subarray(bytes.length - macLength),
    ];
    const check = (bytes: Buffer): Buffer => {
      const [content, mac] = split(bytes);
      if (!mac.equals(this.#mac(type, content, sequence))) throw new Error('MAC');
      return content;
    };
    if (suite.bulk.kind === 'stream') return check(this.#rc4!(fragment));
    if (encryptThenMac) return unpad(this.#decrypt(check(fragment)));
    return check(unpad(this.#decrypt(fragment)));
  }

  #nextSequence(): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(this.#sequence++);
    return bytes;
  }

  #mac(type: number, data: Buffer, sequence: Buffer): Buffer {
    const { suite, version, keys } = this.#options;
    const algorithm = suite.mac!;
    const length = Buffer.from([data.length >> 8, data.length & 0xff]);
    if (version !== SSL3) {
      const header = Buffer.concat([sequence, Buffer.from([type, version >> 8, version & 0xff]), length]);
      return createHmac(algorithm, keys.macKey).update(header).update(data).digest();
    }
    const padLength = algorithm === 'md5' ? 48 : 40;
    const inner = createHash(algorithm)
      .update(
        Buffer.concat([
          keys.macKey,
          Buffer.alloc(padLength, 0x36),
          sequence,
          Buffer.from([type]),
          length,
          data,
        ]),
      )
      .digest();
    return createHash(algorithm)
      .update(Buffer.concat([keys.macKey, Buffer.alloc(padLength, 0x5c), inner]))
      .digest();
  }

  #cipherName(): [string, Buffer] {
    const { suite, keys } = this.#options;
    if (suite.bulk.cipher !== 'des-cbc') return [suite.bulk.cipher, keys.key];
    return ['des-ede3-cbc', Buffer.concat([keys.key, keys.key, keys.key])];
  }

  #encrypt(plaintext: Buffer): Buffer {
    const [name, key] = this.#cipherName();
    const explicit = this.#options.version >= TLS_1_1;
    const iv = explicit ? randomBytes(this.#blockLength()) : this.#iv;
    const cipher = createCipheriv(name, key, iv).setAutoPadding(false);
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    this.#iv = ciphertext.subarray(-this.#blockLength());
    return explicit ? Buffer.concat([iv, ciphertext]) : ciphertext;
  }

  #decrypt(bytes: Buffer): Buffer {
    const [name, key] = this.#cipherName();
    const explicit = this.#options.version >= TLS_1_1;
    const iv = explicit ? bytes.subarray(0, this.#blockLength()) : this.#iv;
    const ciphertext = explicit ? bytes.subarray(this.#blockLength()) : bytes;
    const decipher = createDecipheriv(name, key, iv).setAutoPadding(false);
    this.#iv = Buffer.from(ciphertext.subarray(-this.#blockLength()));
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  }

  #blockLength(): number {
    const { bulk } = this.#options.suite;
    return bulk.kind === 'cbc' ? bulk.blockLength : 0;
  }

  #nonce(sequence: Buffer): Buffer {
    const { keys } = this.#options;
    if (keys.iv.length === 4) return Buffer.concat([keys.iv, sequence]);
    const padded = Buffer.concat([Buffer.alloc(4), sequence]);
    return Buffer.from(keys.iv.map((byte, index) => byte ^ padded[index]!));
  }

  #sealAead(type: number, content: Buffer, sequence: Buffer): Buffer {
    const { suite, keys, version } = this.#options;
    const name = suite.bulk.cipher as 'aes-128-gcm';
    const cipher = createCipheriv(name, keys.key, this.#nonce(sequence), { authTagLength: 16 });
    const additional = [
      sequence,
      Buffer.from([type, version >> 8, version & 0xff, content.length >> 8, content.length & 0xff]),
    ];
    cipher.setAAD(Buffer.concat(additional));
    const ciphertext = Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
    return keys.iv.length === 4 ? Buffer.concat([sequence, ciphertext]) : ciphertext;
  }

  #openAead(type: number, fragment: Buffer, sequence: Buffer): Buffer {
    const { suite, keys, version } = this.#options;
    const explicit = keys.iv.length === 4 ? 8 : 0;
    const length = fragment.length - explicit - 16;
    const name = suite.bulk.cipher as 'aes-128-gcm';
    const nonce = explicit > 0 ? Buffer.concat([keys.iv, fragment.subarray(0, 8)]) : this.#nonce(sequence);
    const decipher = createDecipheriv(name, keys.key, nonce, { authTagLength: 16 });
    const additional = [
      sequence,
      Buffer.from([type, version >> 8, version & 0xff, length >> 8, length & 0xff]),
    ];
    decipher.setAAD(Buffer.concat(additional)).setAuthTag(fragment.subarray(-16));
    return Buffer.concat([decipher.update(fragment.subarray(explicit, -16)), decipher.final()]);
  }
}

function pad(
  bytes: Buffer,
  blockLength: number,
  { paddingLength, paddingByte, lastByte }: ReferenceOptions,
): Buffer {
  const shortest = blockLength - 1 - (bytes.length % blockLength);
  const length = paddingLength ?? shortest;
  const padding = Buffer.alloc(length + 1, paddingByte ?? length);
  padding[length] = lastByte ?? length;
  return Buffer.concat([bytes, padding]);
}

function unpad(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length - bytes[bytes.length - 1]! - 1);
}

/** The textbook's RC4. */
function rc4(key: Buffer): (bytes: Buffer) => Buffer {
  const s = Array.from({ length: 256 }, (_, index) => index);
  let j = 0;
  const swap = (a: number, b: number): void => {
    [s[a], s[b]] = [s[b]!, s[a]!];
  };
  for (let i = 0; i < 256; i += 1) {
    j = (j + s[i]! + key[i % key.length]!) % 256;
    swap(i, j);
  }
  let i = 0;
  j = 0;
  return (bytes) =>
    Buffer.from(
      bytes.map((byte) => {
        i = (i + 1) % 256;
        j = (j + s[i]!) % 256;
        swap(i, j);
        return byte ^ s[(s[i]! + s[j]!) % 256]!;
      }),
    );
}
