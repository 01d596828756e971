/** Loads the configuration of a command, and reports all problems in it and in the files that it names together. */
import { ConfigError } from '../config/config-error.js';
import { loadConfig, locate } from '../config/load.js';
import type { Credentials } from '../config/paths.js';
import type { Config } from '../config/schema.js';
import { tryCredentials } from '../credentials/credentials.js';

/** Certificates of a valid file are loaded by the caller. @throws ConfigError */
export function loadConfiguration(file: string, credentials?: Credentials): Config {
  try {
    return loadConfig(file, credentials);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw withCredentialProblems(error);
  }
}

function withCredentialProblems(error: ConfigError): ConfigError {
  const { file, problems, readable } = error;
  const { errors } = tryCredentials(readable?.certificates ?? []);
  const more = errors.flatMap((one) => locate(one, file).problems);
  return more.length === 0 ? error : new ConfigError(file, [...problems, ...more], { cause: error });
}
