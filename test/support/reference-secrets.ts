/** Key derivation written the plain way from the RFCs, with none of the engine's code. */
import { createHash, createHmac } from 'node:crypto';

function pHash(hash: string, secret: Buffer, seed: Buffer, length: number): Buffer {
  let a = createHmac(hash, secret).update(seed).digest();
  let output = Buffer.alloc(0);
  while (output.length < length) {
    output = Buffer.concat([
      output,
      createHmac(hash, secret)
        .update(Buffer.concat([a, seed]))
        .digest(),
    ]);
    a = createHmac(hash, secret).update(a).digest();
  }
  return output.subarray(0, length);
}

function ssl3(secret: Buffer, seed: Buffer, length: number): Buffer {
  let output = Buffer.alloc(0);
  for (let round = 1; output.length < length; round += 1) {
    const salt = String.fromCharCode(64 + round).repeat(round);
    const inner = createHash('sha1').update(salt).update(secret).update(seed).digest();
    output = Buffer.concat([output, createHash('md5').update(secret).update(inner).digest()]);
  }
  return output.subarray(0, length);
}

export interface Derivation {
  readonly version: number;
  /** Of the suite, for TLS 1.2. */
  readonly prf: string;
}

/** PRF of the version; in SSLv3 the label has no place. */
export function derive(
  { version, prf }: Derivation,
  secret: Buffer,
  label: string,
  seed: Buffer,
  length: number,
): Buffer {
  if (version === 0x0300) return ssl3(secret, seed, length);
  const labelled = Buffer.concat([Buffer.from(label), seed]);
  if (version === 0x0303) return pHash(prf, secret, labelled, length);
  const half = Math.ceil(secret.length / 2);
  const md5 = pHash('md5', secret.subarray(0, half), labelled, length);
  const sha1 = pHash('sha1', secret.subarray(secret.length - half), labelled, length);
  return Buffer.from(md5.map((byte, index) => byte ^ sha1[index]!));
}

/** The hash of the handshake for everything but SSLv3's Finished. */
export function handshakeHash({ version, prf }: Derivation, messages: Buffer): Buffer {
  if (version === 0x0303) return createHash(prf).update(messages).digest();
  return Buffer.concat([
    createHash('md5').update(messages).digest(),
    createHash('sha1').update(messages).digest(),
  ]);
}

export function verifyData(
  derivation: Derivation,
  master: Buffer,
  messages: Buffer,
  sender: 'client' | 'server',
): Buffer {
  if (derivation.version !== 0x0300) {
    return derive(derivation, master, `${sender} finished`, handshakeHash(derivation, messages), 12);
  }
  const label = Buffer.from(sender === 'client' ? 'CLNT' : 'SRVR');
  const half = (hash: 'md5' | 'sha1'): Buffer => {
    const length = hash === 'md5' ? 48 : 40;
    const inner = createHash(hash)
      .update(messages)
      .update(label)
      .update(master)
      .update(Buffer.alloc(length, 0x36))
      .digest();
    return createHash(hash).update(master).update(Buffer.alloc(length, 0x5c)).update(inner).digest();
  };
  return Buffer.concat([half('md5'), half('sha1')]);
}
