/**
 * A selection of Project Wycheproof's vectors (test/vectors/wycheproof), on what the engine makes of a client's share or
 * ciphertext. "acceptable" is what the engine has an opinion on: TLS says what it must be.
 */
import * as crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test, type Test } from 'tap';
import { unpadPremasterSecret } from '../../../src/tls/crypto/rsa-premaster.js';
import { NamedGroup } from '../../../src/tls/code-points.js';
import { decryptWithoutPadding } from '../../../src/tls/index.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../vectors/wycheproof/${name}.json`, import.meta.url), 'utf8'));

interface AgreementVector {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly public: string;
  readonly private: string;
  readonly shared: string;
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

/** The engine's share with the key pair that the vector asks for, instead of a fresh one. */
async function premasterSecret(t: Test, group: number, vector: AgreementVector): Promise<string> {
  const privateValue = hex(vector.private);
  const fixed = {
    createECDH: (name: string) => {
      const ecdh = crypto.createECDH(name);
      // Wycheproof writes numbers as ASN.1 does, with a zero in front or without.
      ecdh.setPrivateKey(privateValue);
      ecdh.generateKeys = (() => ecdh.getPublicKey()) as typeof ecdh.generateKeys;
      return ecdh;
    },
    generateKeyPairSync: () => {
      const der = Buffer.concat([hex('302e020100300506032b656e04220420'), privateValue]);
      const privateKey = crypto.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
      return { privateKey, publicKey: crypto.createPublicKey(privateKey) };
    },
  };
  const { newEcdhShare } = await t.mockImport<typeof import('../../../src/tls/crypto/ecdh-groups.js')>(
    '../../../src/tls/crypto/ecdh-groups.js',
    { 'node:crypto': { ...crypto, ...fixed } },
  );
  const share = newEcdhShare(group as 23);
  try {
    return share.premasterSecret(hex(vector.public)).toString('hex');
  } catch (error) {
    return (error as { reason: string }).reason;
  }
}

/** What TLS wants of the vectors on which others may differ. */
function expected({ result, flags, shared }: AgreementVector): string {
  const refused =
    result === 'invalid' ||
    // RFC 8422, 5.1.2: nobody was offered compressed points.
    flags.includes('CompressedPoint') ||
    // RFC 8422, 5.11: a secret of zeros must be refused.
    flags.includes('ZeroSharedSecret');
  return refused ? 'bad_key_share' : shared;
}

for (const [name, group] of [
  ['ecdh_secp256r1_ecpoint', NamedGroup.secp256r1],
  ['ecdh_secp384r1_ecpoint', NamedGroup.secp384r1],
  ['x25519', NamedGroup.x25519],
] as const) {
  test(`${name}: every share gives the secret, or bad_key_share`, async (t) => {
    const { tests } = read(name) as { tests: AgreementVector[] };
    t.ok(tests.length > 30);
    for (const vector of tests) {
      const title = `${vector.tcId}: ${vector.comment} ${vector.flags.join(' ')}`;
      t.equal(await premasterSecret(t, group, vector), expected(vector), title);
    }
  });
}

interface DecryptionVector {
  readonly tcId: number;
  readonly comment: string;
  readonly msg: string;
  readonly ct: string;
  readonly result: 'valid' | 'invalid';
}

test('rsa_pkcs1_2048: no ciphertext but that of a premaster secret gives anything but the substitute', async (t) => {
  const { privateKeyPkcs8, tests } = read('rsa_pkcs1_2048') as {
    privateKeyPkcs8: string;
    tests: DecryptionVector[];
  };
  const key = crypto.createPrivateKey({ key: hex(privateKeyPkcs8), format: 'der', type: 'pkcs8' });
  const substitute = Buffer.alloc(48, 0x5a);
  const publicKey = crypto.createPublicKey(key);
  const unpadded = (ciphertext: Buffer, version: number): Buffer =>
    unpadPremasterSecret(decryptWithoutPadding(key, ciphertext, 256), version, substitute, version);
  for (const { tcId, comment, msg, ct, result } of tests) {
    const ciphertext = hex(ct);
    // Another length is a decode_error before anything is decrypted.
    if (ciphertext.length !== 256) continue;
    if (result === 'valid') {
      const block = decryptWithoutPadding(key, ciphertext, 256);
      t.same(block.subarray(256 - hex(msg).length - 1), hex(`00${msg}`), `${tcId} is decrypted right`);
    }
    t.same(unpadded(ciphertext, 0x0301), substitute, `${tcId}: ${comment}`);
  }
  const secret = Buffer.concat([hex('0301'), Buffer.alloc(46, 7)]);
  const right = crypto.publicEncrypt({ key: publicKey, padding: crypto.constants.RSA_PKCS1_PADDING }, secret);
  t.same(unpadded(right, 0x0301), secret);
});
