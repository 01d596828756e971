/** From configuration to what the engine and Node's TLS are given, made once for each set of TLS settings in use. */
import { createHash, randomBytes } from 'node:crypto';
import type { TlsSettings } from '../../config/schema.js';
import type { TlsProfile } from './tls-acceptor.js';
import { readyEcdhShare } from './ecdh-shares.js';
import { NativeTls } from './native-tls.js';
import type { TicketSource } from '../resumption/session-tickets.js';
import {
  CIPHER_SUITES,
  PRESETS,
  ProtocolVersion,
  TLS_1_3,
  type CipherSuite,
  type DhGroup,
  type Policy,
} from '../../tls/index.js';
import type { LoadedCredential } from '../../credentials/credentials.js';
import { certificatesNamed } from '../../credentials/server-names.js';

export interface ProfileSources {
  readonly credentials: readonly LoadedCredential[];
  readonly tickets: TicketSource;
  /** There only when a profile in use wants it. */
  readonly smallDhGroup: DhGroup | undefined;
}

export class TlsProfiles {
  readonly #sources: ProfileSources;
  readonly #services = new Map<string, NamedCertificates>();
  readonly #made = new Map<string, TlsProfile>();

  constructor(sources: ProfileSources) {
    this.#sources = sources;
  }

  /** @param serverNames of the listener; see its key of that name */
  profile(settings: TlsSettings, modern: TlsProfile['modern'], serverNames: readonly string[]): TlsProfile {
    // Where the file with the keys lies may differ among machines that resume each other's sessions.
    const key = JSON.stringify([{ ...settings, ticketKeyFile: undefined }, modern, serverNames]);
    const made = this.#made.get(key) ?? this.#make(settings, modern, this.#certificatesFor(serverNames), key);
    this.#made.set(key, made);
    return made;
  }

  #make(
    settings: TlsSettings,
    modern: TlsProfile['modern'],
    certificates: NamedCertificates,
    key: string,
  ): TlsProfile {
    const policy = policyOf(settings);
    const ours = certificates.loaded.filter(({ use }) => modern === 'engine' || use !== 'modern');
    const credentials = ours.map(({ credential }) => credential);
    const native = modern === 'terminate' ? certificates.native : undefined;
    const context = createHash('sha256').update(key);
    for (const { chain } of credentials) context.update(chain[0]!);
    return {
      certificates: certificates.loaded,
      modern,
      native,
      parameters: {
        ...policy,
        credentials,
        defaultServerName: certificates.defaultServerName,
        serviceMaxVersion: native !== undefined || modern === 'passthrough' ? TLS_1_3 : policy.maxVersion,
        smallDhGroup: settings.profile === 'ancient' ? this.#sources.smallDhGroup : undefined,
        sessionIds: true,
        tickets: this.#sources.tickets.engine,
        sessionContext: context.digest('base64').slice(0, CONTEXT_CHARACTERS),
        ecdhShare: readyEcdhShare,
        random: randomBytes,
      },
    };
  }

  #certificatesFor(serverNames: readonly string[]): NamedCertificates {
    const key = serverNames.join(' ');
    const made = this.#services.get(key) ?? this.#selectCertificates(serverNames);
    this.#services.set(key, made);
    return made;
  }

  #selectCertificates(serverNames: readonly string[]): NamedCertificates {
    const loaded = certificatesNamed(serverNames, this.#sources.credentials);
    // The same for the engine and for Node's TLS, whose certificates may differ.
    const [defaultServerName = loaded[0]?.credential.serverNames[0]] = serverNames;
    const modern = loaded.filter(({ use, engineOnly }) => use !== 'legacy' && engineOnly === undefined);
    const { tickets } = this.#sources;
    const native = modern.length > 0 ? new NativeTls(modern, defaultServerName, tickets) : undefined;
    return { loaded, defaultServerName, native };
  }
}

/** What one listener can show. */
interface NamedCertificates {
  readonly loaded: readonly LoadedCredential[];
  readonly defaultServerName: string | undefined;
  /** Undefined where no certificate is meant for modern clients. */
  readonly native: NativeTls | undefined;
}

/** The preset, with the single keys that the operator set on top. */
export function policyOf(settings: TlsSettings): Policy {
  const preset: Policy = PRESETS[settings.profile];
  const { minVersion, maxVersion, sslv2Hello, recordSplitting, smallBlockLimit } = settings;
  return {
    ...preset,
    ...(minVersion !== undefined && { minVersion: ProtocolVersion[minVersion] }),
    ...(maxVersion !== undefined && { maxVersion: ProtocolVersion[maxVersion] }),
    ...(sslv2Hello !== undefined && { sslv2Hello }),
    ...(recordSplitting !== undefined && { recordSplitting }),
    ...(smallBlockLimit !== undefined && { smallBlockLimit }),
    cipherSuites: suitesOf(preset.cipherSuites, settings),
  };
}

function suitesOf(preset: readonly CipherSuite[], settings: TlsSettings): readonly CipherSuite[] {
  const switches = { rc4: settings.rc4, '3des': settings.tripleDes, des: settings.singleDes };
  return CIPHER_SUITES.filter((suite) => {
    const { family } = suite;
    const wanted = family in switches ? switches[family as keyof typeof switches] : undefined;
    return wanted ?? preset.includes(suite);
  });
}

/** 96 bits tell contexts apart, and a ticket stays short. */
const CONTEXT_CHARACTERS = 16;
