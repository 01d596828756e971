/** Which certificates Node's TLS shows a client, by the name that it asks for. */
import { createHash } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { LoadedCredential } from '../../credentials/credentials.js';
import { defaultCredentials, namedCredentials, type Credential } from '../../tls/index.js';

/** One certificate of each kind of key, which stand in one context. */
export interface CertificateSet {
  readonly loaded: readonly LoadedCredential[];
  readonly authentications: readonly Credential['authentication'][];
  /** The same for the same certificates, in every process; at most 32 characters, as OpenSSL takes them. */
  readonly id: string;
  /** By ticket key, as Node takes only one for each context. Weak, so that they go with the key. */
  readonly contexts: WeakMap<Buffer, SecureContext>;
}

export class CertificateSets {
  readonly #loaded: readonly LoadedCredential[];
  readonly #credentials: readonly Credential[];
  readonly #standard: readonly CertificateSet[];
  /** By the places of what is in them; certificates make no more sets than they have names. */
  readonly #made = new Map<string, CertificateSet>();

  /** @param defaultServerName see ServerParameters */
  constructor(loaded: readonly LoadedCredential[], defaultServerName: string | undefined) {
    this.#loaded = loaded;
    this.#credentials = loaded.map(({ credential }) => credential);
    const standard = defaultCredentials(this.#credentials, defaultServerName);
    this.#standard = [this.#setOf(standard), this.#setOf(this.#credentials)];
  }

  /** The best choice first; the others are for clients that can verify none in it. */
  choicesFor(serverName: string | undefined): readonly CertificateSet[] {
    const named = serverName === undefined ? [] : namedCredentials(this.#credentials, serverName);
    return named.length === 0 ? this.#standard : [this.#setOf(named), ...this.#standard];
  }

  #setOf(credentials: readonly Credential[]): CertificateSet {
    const shown = onePerAlgorithm(credentials);
    const key = shown.map((one) => this.#credentials.indexOf(one)).join(' ');
    const made = this.#made.get(key) ?? {
      loaded: this.#loaded.filter(({ credential }) => shown.includes(credential)),
      authentications: shown.map(({ authentication }) => authentication),
      id: idOf(shown),
      contexts: new WeakMap<Buffer, SecureContext>(),
    };
    this.#made.set(key, made);
    return made;
  }
}

/** OpenSSL would show the last of several. */
function onePerAlgorithm(credentials: readonly Credential[]): readonly Credential[] {
  const forModern = credentials.filter(({ audience }) => audience === 'modern');
  const inOrder = [...forModern, ...credentials.filter((one) => !forModern.includes(one))];
  return inOrder.filter(
    ({ authentication }, index) =>
      inOrder.findIndex((other) => other.authentication === authentication) === index,
  );
}

function idOf(credentials: readonly Credential[]): string {
  const hash = createHash('sha256');
  for (const { chain } of credentials) hash.update(chain[0]!);
  return hash.digest('base64').slice(0, ID_CHARACTERS);
}

/** 144 bits. */
const ID_CHARACTERS = 24;
