/** Checks which certificates clients get for each requested name, and which names have none. */
import type { Config, ListenerConfig } from '../config/schema.js';
import { tryCredentials, type LoadedCredential } from '../credentials/credentials.js';
import { certificatesNamed } from '../credentials/server-names.js';
import { certificateFinding, type Finding } from './finding.js';

export function checkNames({ certificates, listeners, server: { hostname } }: Config): Finding[] {
  const { loaded } = tryCredentials(certificates);
  // The names of a certificate that could not be loaded are unknown.
  if (loaded.length === 0 || loaded.length < certificates.length) return [];
  const names = new Set(listeners.flatMap((listener) => namesOf(listener, loaded)));
  return [
    ...[...names].flatMap((name) => {
      const covering = certificatesNamed([name], loaded);
      if (covering.length === 0) return [];
      return [
        certificateFinding(`name ${name}`, 'good', covering.map((one) => describe(one, loaded)).join(', ')),
      ];
    }),
    ...(names.size > 1 ? listeners.flatMap((listener) => defaultOf(listener, loaded)) : []),
    ...listeners.flatMap((listener, index) => uncovered(listener, index, loaded)),
    ...(certificatesNamed([hostname.toLowerCase()], loaded).length === 0
      ? [
          {
            ...certificateFinding(
              'certificates',
              'warning',
              `none is for "${hostname}", the hostname in [server]`,
            ),
            key: 'server.hostname',
          },
        ]
      : []),
  ];
}

function namesOf({ serverNames }: ListenerConfig, loaded: readonly LoadedCredential[]): readonly string[] {
  return serverNames.length > 0 ? serverNames : loaded.flatMap(({ credential }) => credential.serverNames);
}

function defaultOf(listener: ListenerConfig, loaded: readonly LoadedCredential[]): Finding[] {
  const [name] = namesOf(listener, loaded);
  if (name === undefined) return [];
  const message = `clients that request no name or another one get the certificates for ${name}`;
  return [certificateFinding(`listener ${listener.name}`, 'good', message)];
}

function uncovered(
  { name, serverNames }: ListenerConfig,
  index: number,
  loaded: readonly LoadedCredential[],
): Finding[] {
  return serverNames
    .filter((one) => certificatesNamed([one], loaded).length === 0)
    .map((one) => ({
      ...certificateFinding(`listener ${name}`, 'bad', `no certificate has the name ${one}`, [
        'add a [[certificate]] for it, or remove the name',
      ]),
      key: `listener[${index}].server-names`,
    }));
}

/** "certificate 2 (RSA2048, legacy)". */
function describe(one: LoadedCredential, loaded: readonly LoadedCredential[]): string {
  const { use, info } = one;
  const kind = use === 'all' ? info.keyAlgorithm : `${info.keyAlgorithm}, ${use}`;
  return `certificate ${loaded.indexOf(one) + 1} (${kind})`;
}
