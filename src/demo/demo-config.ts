/** The set-up of `oldhello serve` without a configuration: everything on loopback, and as permissive as it gets. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';

/** @param sinkPort where the embedded sink listens */
export function demoConfig(sinkPort: number): Config {
  const stateDirectory = process.env['STATE_DIRECTORY'] ?? join(homedir(), '.local', 'state', 'oldhello');
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

[tls]
profile = "ancient"

[admin]
address = "127.0.0.1:9125"
`,
    'the built-in demo configuration',
  );
}
