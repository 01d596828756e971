/** Keys, Finished and records byte for byte as others make them: tlslite-ng for the whole, NIST for single ciphers. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { CIPHER_SUITE_BY_ID, CIPHER_SUITES } from '../../../src/tls/cipher-suites.js';
import { ProtocolVersion } from '../../../src/tls/code-points.js';
import { connectionProtection } from '../../../src/tls/handshake/key-schedule.js';
import { Transcript } from '../../../src/tls/handshake/transcript.js';
import { createReadProtection, createWriteProtection } from '../../../src/tls/record/create-protection.js';
import { versionRules } from '../../../src/tls/handshake/version-rules.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

interface Vector {
  readonly version: ProtocolVersion;
  readonly suite: number;
  readonly encryptThenMac: boolean;
  readonly premasterSecret: string;
  readonly clientRandom: string;
  readonly serverRandom: string;
  readonly messages: string;
  readonly masterSecret: string;
  readonly extendedMasterSecret: string | null;
  readonly finished: { readonly client: string; readonly server: string };
  readonly contents: readonly string[];
  readonly clientRecords: readonly string[];
  readonly serverRecords: readonly string[];
}

const { vectors } = JSON.parse(
  readFileSync(new URL('../../vectors/records.json', import.meta.url), 'utf8'),
) as { vectors: Vector[] };

const title = ({ version, suite, encryptThenMac }: Vector): string =>
  `${CIPHER_SUITE_BY_ID.get(suite)!.name} ${version.toString(16)}${encryptThenMac ? ' encrypt-then-MAC' : ''}`;

const noRandom = (): never => {
  throw new Error('nothing here is random');
};

test('master secret, extended master secret and Finished are those of tlslite-ng', async (t) => {
  for (const vector of vectors) {
    const rules = versionRules(vector.version);
    const suite = CIPHER_SUITE_BY_ID.get(vector.suite)!;
    const premaster = hex(vector.premasterSecret);
    const seed = hex(vector.clientRandom + vector.serverRandom);
    const master = rules.masterSecret(suite, premaster, seed);
    t.equal(master.toString('hex'), vector.masterSecret, title(vector));
    const transcript = new Transcript();
    transcript.start(rules.transcriptAlgorithms(suite));
    transcript.add(hex(vector.messages));
    if (vector.extendedMasterSecret !== null) {
      const extended = rules.extendedMasterSecret!(suite, premaster, transcript.digest());
      t.equal(extended.toString('hex'), vector.extendedMasterSecret);
    }
    for (const sender of ['client', 'server'] as const) {
      const verifyData = rules.verifyData(suite, master, transcript, sender);
      t.equal(verifyData.toString('hex'), vector.finished[sender]);
    }
  }
});

test('records that tlslite-ng seals are opened, and sealed the same where nothing in them is random', async (t) => {
  for (const vector of vectors) {
    const suite = CIPHER_SUITE_BY_ID.get(vector.suite)!;
    const explicitIv = suite.bulk.kind === 'cbc' && vector.version >= ProtocolVersion['TLSv1.1'];
    const { read, write } = connectionProtection({
      rules: versionRules(vector.version),
      suite,
      masterSecret: hex(vector.masterSecret),
      seed: hex(vector.serverRandom + vector.clientRandom),
      encryptThenMac: vector.encryptThenMac,
      random: explicitIv ? (length) => Buffer.alloc(length) : noRandom,
    });
    vector.contents.forEach((content, index) => {
      const opened = read.open(23, hex(vector.clientRecords[index]!).subarray(5));
      t.equal(opened.toString('hex'), content, `${title(vector)}: opened`);
      const sealed = Buffer.concat(write.seal(23, hex(content))).toString('hex');
      if (explicitIv) t.equal(sealed.length, vector.serverRecords[index]!.length);
      else t.equal(sealed, vector.serverRecords[index], `${title(vector)}: sealed`);
    });
  }
});

/** Published CBC answers; a TLS 1.0 record begins with exactly these blocks, its MAC comes behind them. */
const CBC = [
  {
    source: 'FIPS 81, table C1: DES',
    suite: 0x0009,
    key: '0123456789abcdef',
    iv: '1234567890abcdef',
    plaintext: Buffer.from('Now is the time for all ').toString('hex'),
    ciphertext: 'e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6',
  },
  {
    source: 'NIST, Cryptographic Standards and Guidelines, examples with intermediate values: TDES-CBC',
    suite: 0x000a,
    key: '0123456789abcdef23456789abcdef01456789abcdef0123',
    iv: 'f69f2445df4f9b17',
    plaintext: '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51',
    ciphertext: '2079c3d53aa763e193b79e2569ab5262516570481f25b50f73c0bda85c8e0da7',
  },
  {
    source: 'SP 800-38A, F.2.1: AES-128',
    suite: 0x002f,
    key: '2b7e151628aed2a6abf7158809cf4f3c',
    iv: '000102030405060708090a0b0c0d0e0f',
    plaintext: '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51',
    ciphertext: '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2',
  },
  {
    source: 'SP 800-38A, F.2.5: AES-256',
    suite: 0x0035,
    key: '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
    iv: '000102030405060708090a0b0c0d0e0f',
    plaintext: '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51',
    ciphertext: 'f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d',
  },
  {
    source: 'RFC 3713, appendix A, whose one block is CBC with an IV of zeros: Camellia-128',
    suite: 0x0041,
    key: '0123456789abcdeffedcba9876543210',
    iv: '00000000000000000000000000000000',
    plaintext: '0123456789abcdeffedcba9876543210',
    ciphertext: '67673138549669730857065648eabe43',
  },
  {
    source: 'RFC 3713, appendix A: Camellia-256',
    suite: 0x0084,
    key: '0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff',
    iv: '00000000000000000000000000000000',
    plaintext: '0123456789abcdeffedcba9876543210',
    ciphertext: '9acc237dff16d76c20ef7c919e3a7509',
  },
] as const;

test('each block cipher gives its published answer, chained as CBC', async (t) => {
  for (const { source, suite, key, iv, plaintext, ciphertext } of CBC) {
    const keys = { macKey: Buffer.alloc(20, 1), key: hex(key), iv: hex(iv) };
    const parameters = {
      version: ProtocolVersion.TLSv1,
      suite: CIPHER_SUITE_BY_ID.get(suite)!,
      keys,
      encryptThenMac: false,
      random: noRandom,
    };
    const record = Buffer.concat(createWriteProtection(parameters).seal(23, hex(plaintext)));
    t.equal(record.toString('hex', 5, 5 + ciphertext.length / 2), ciphertext, source);
    t.equal(createReadProtection(parameters).open(23, record.subarray(5)).toString('hex'), plaintext);
  }
  const ciphers = new Set(
    CIPHER_SUITES.filter(({ bulk }) => bulk.kind === 'cbc').map(({ bulk }) => bulk.cipher),
  );
  const tested = new Set(CBC.map(({ suite }) => CIPHER_SUITE_BY_ID.get(suite)!.bulk.cipher));
  t.same([...ciphers].sort(), [...tested].sort(), 'every one in the table');
});
