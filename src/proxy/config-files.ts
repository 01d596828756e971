/** Every file that a configuration names, read once for it. */
import { orAllUnusable } from '../config/config-error.js';
import type { Config } from '../config/schema.js';
import { loadCredentials, type LoadedCredential } from '../credentials/credentials.js';
import type { TicketKeyFile } from '../credentials/ticket-key-file.js';
import type { NetworkFiles } from '../policy/networks.js';
import { readTrustedCas, type TrustedCas } from './backend/trusted-cas.js';
import { readNetworkFiles } from './network-files.js';
import { storeSettings, type StoreSettings } from './resumption/shared-sessions.js';
import { readTicketKeys } from './resumption/ticket-key-source.js';
import { refuseMissingPrimitives } from './termination/required-primitives.js';

export interface ConfigFiles {
  readonly ticketKeys: TicketKeyFile | undefined;
  readonly store: StoreSettings | undefined;
  readonly credentials: readonly LoadedCredential[];
  readonly trustedCas: TrustedCas;
  readonly networkFiles: NetworkFiles;
}

/** @throws UnusableValueError, UnusableValuesError, CredentialError */
export async function readConfigFiles(config: Config): Promise<ConfigFiles> {
  const [ticketKeys, store, credentials, trustedCas, networkFiles] = await orAllUnusable(
    () => readTicketKeys(config),
    () => storeSettings(config),
    () => loadCredentials(config),
    () => readTrustedCas(config),
    () => readNetworkFiles(config),
  );
  refuseMissingPrimitives(config, credentials);
  return { ticketKeys, store, credentials, trustedCas, networkFiles };
}
