/** The configuration of `oldhello serve` without --config: everything on loopback, and as permissive as possible. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { makePair, pairIn, type CertificatePair } from '../credentials/certificate-pair.js';
import { parseConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';

/** @param sinkPort port of the sink */
export function demoConfig(sinkPort: number): Config {
  const stateDirectory = process.env['STATE_DIRECTORY'] ?? join(homedir(), '.local', 'state', 'oldhello');
  const { legacy, modern } = demoCertificates(join(stateDirectory, 'demo-certificates'));
  return parseConfig(
    `
[server]
hostname = "localhost"
state-directory = ${JSON.stringify(stateDirectory)}

[[listener]]
name = "starttls"
address = "127.0.0.1:2525"
mode = "starttls"
backend = "sink"

[[listener]]
name = "implicit"
address = "127.0.0.1:4465"
mode = "implicit"
backend = "sink"

[[backend]]
name = "sink"
address = "127.0.0.1:${sinkPort}"
identity = "proxy-v2"

[[certificate]]
chain = ${JSON.stringify(legacy.chain)}
key = ${JSON.stringify(legacy.key)}
use = "legacy"

[[certificate]]
chain = ${JSON.stringify(modern.chain)}
key = ${JSON.stringify(modern.key)}

[tls]
profile = "ancient"

[admin]
address = "127.0.0.1:9125"
`,
    'the built-in demo configuration',
  );
}

/** Made once, so that clients that trust these certificates still do after a restart. */
function demoCertificates(folder: string): CertificatePair {
  const pair = pairIn(folder);
  const isThere = [pair.legacy, pair.modern].every(({ chain, key }) => existsSync(chain) && existsSync(key));
  return isThere
    ? pair
    : makePair(folder, { names: ['localhost', '127.0.0.1', '::1'], days: 3650, gid: undefined });
}
