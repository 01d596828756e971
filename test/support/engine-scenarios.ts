/** What is tried with each peer besides versions and suites: keys, groups, and what clients do only when told to. */
import { fileURLToPath } from 'node:url';
import { loadSmallDhGroup } from '../../src/credentials/small-dh-group.js';
import {
  NamedGroup,
  ProtocolVersion,
  type ClientHello,
  type Credential,
  type HelloExtensions,
} from '../../src/tls/index.js';
import type { EngineConnection, EngineEchoOptions } from './engine-echo-server.js';
import { handshakeOf, type Handshake, type Switches } from './peers/echo-peer.js';
import { heldIn, RSA, type Held } from './test-server.js';

export interface Scenario {
  readonly server?: EngineEchoOptions;
  /** Each of them is made, where the peer has that format of hello. */
  readonly handshakes: readonly Handshake[];
  readonly switches?: Switches;
  /** Whether a hello asks for what is tried; a client that cannot ask is not at fault. */
  readonly asks?: (extensions: HelloExtensions) => boolean;
  /** Whether what happened is what was meant to happen. */
  readonly right: (connection: EngineConnection) => boolean;
  /** The engine must refuse the client, for this reason. */
  readonly refusal?: string;
}

const SHORT_RSA = heldIn('rsa-1024-sha1.pem');
const LONG_RSA = heldIn('rsa-4096.pem');
const OTHER_RSA = heldIn('rsa-2048.pem');
const P384 = heldIn('ecdsa-p384.pem');
const FOR_LEGACY: Held = { ...SHORT_RSA, credential: { ...SHORT_RSA.credential, audience: 'legacy' } };
const FOR_MODERN: Held = { ...RSA, credential: { ...RSA.credential, audience: 'modern' } };
const smallDhGroup = await loadSmallDhGroup(fileURLToPath(new URL('.', import.meta.url)));

const RSA_AT_TLS10 = handshakeOf('AES128-SHA', 'TLSv1');
const RSA_AT_TLS12 = handshakeOf('AES128-SHA', 'TLSv1.2');
const ECDHE = handshakeOf('ECDHE-RSA-AES128-GCM-SHA256', 'TLSv1.2');

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'RSA key of 1024 bits, decrypting': {
    server: { held: [SHORT_RSA] },
    handshakes: [RSA_AT_TLS10],
    right: ({ established }) => established?.credential === SHORT_RSA.credential,
  },
  'RSA key of 1024 bits, signing': {
    server: { held: [SHORT_RSA] },
    handshakes: [ECDHE],
    right: ({ established }) => established?.credential === SHORT_RSA.credential,
  },
  'RSA key of 4096 bits, decrypting': {
    server: { held: [LONG_RSA] },
    handshakes: [RSA_AT_TLS10],
    right: ({ established }) => established?.credential === LONG_RSA.credential,
  },
  'RSA key of 4096 bits, signing': {
    server: { held: [LONG_RSA] },
    handshakes: [ECDHE],
    right: ({ established }) => established?.credential === LONG_RSA.credential,
  },
  'ECDSA key on P-384': {
    server: { held: [P384] },
    handshakes: [handshakeOf('ECDHE-ECDSA-AES128-GCM-SHA256', 'TLSv1.2')],
    asks: ({ supportedGroups }) => supportedGroups?.includes(NamedGroup.secp384r1) === true,
    right: ({ established }) => established?.credential === P384.credential,
  },
  'server_name chooses among certificates': {
    server: { held: [RSA, OTHER_RSA] },
    handshakes: [ECDHE, RSA_AT_TLS10],
    switches: { serverName: 'second.example' },
    right: ({ established }) => established?.credential === OTHER_RSA.credential,
  },
  'a certificate for old clients only, signed with SHA-1': {
    server: { held: [FOR_MODERN, FOR_LEGACY] },
    handshakes: [RSA_AT_TLS12, RSA_AT_TLS10, { ...RSA_AT_TLS10, format: 'sslv2' }],
    right: ({ hello, established }) => established?.credential === certificateByAge(hello!),
  },
  X25519: withGroup('x25519'),
  'ECDHE on P-256': withGroup('secp256r1'),
  'ECDHE on P-384': withGroup('secp384r1'),
  'DHE with 1024 bits, for clients that say nothing newer': {
    server: { parameters: { smallDhGroup } },
    handshakes: [handshakeOf('DHE-RSA-AES128-SHA', 'TLSv1')],
    asks: ({ supportedGroups, signatureAlgorithms }) =>
      signatureAlgorithms === undefined &&
      supportedGroups?.some((group) => group >= NamedGroup.ffdhe2048) !== true,
    right: ({ established }) => established?.dhBits === 1024,
  },
  'DHE with ffdhe2048': {
    server: { parameters: { smallDhGroup } },
    handshakes: [handshakeOf('DHE-RSA-AES128-GCM-SHA256', 'TLSv1.2')],
    right: ({ established }) => established?.dhBits === 2048,
  },
  'max_fragment_length of 1024': {
    handshakes: [ECDHE, RSA_AT_TLS10],
    switches: { maxFragmentLength: 1024 },
    right: ({ established }) => established?.maxFragmentLength === 1024,
  },
  'without encrypt_then_mac': {
    handshakes: [RSA_AT_TLS10, RSA_AT_TLS12],
    switches: { encryptThenMac: false },
    right: ({ established }) => established?.encryptThenMac === false,
  },
  'without extended_master_secret': {
    handshakes: [RSA_AT_TLS10, ECDHE],
    switches: { extendedMasterSecret: false },
    right: ({ established }) => established?.extendedMasterSecret === false,
  },
  'records split against BEAST': {
    server: { parameters: { recordSplitting: true } },
    handshakes: [RSA_AT_TLS10],
    right: ({ established }) => established !== undefined,
  },
  'TLS_FALLBACK_SCSV in a hello of TLS 1.0 is refused': {
    handshakes: [RSA_AT_TLS10],
    switches: { fallback: true },
    right: ({ end }) => end === 'inappropriate_fallback',
    refusal: 'inappropriate_fallback',
  },
  'TLS_FALLBACK_SCSV in a hello of TLS 1.2 is not': {
    handshakes: [ECDHE],
    switches: { fallback: true },
    right: ({ established }) => established !== undefined,
  },
  'a byte at a time': {
    handshakes: [RSA_AT_TLS10, ECDHE],
    switches: { drip: true },
    right: ({ established }) => established !== undefined,
  },
};

function withGroup(name: keyof typeof NamedGroup): Scenario {
  return {
    server: { parameters: { groups: [NamedGroup[name]] } },
    handshakes: [ECDHE],
    asks: ({ supportedGroups }) => supportedGroups?.includes(NamedGroup[name]) === true,
    right: ({ established }) => established?.group === NamedGroup[name],
  };
}

function certificateByAge({ format, clientVersion }: ClientHello): Credential {
  const old = format === 'sslv2' || clientVersion < ProtocolVersion['TLSv1.2'];
  return (old ? FOR_LEGACY : FOR_MODERN).credential;
}
