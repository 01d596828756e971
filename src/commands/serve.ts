/** `oldhello serve`: puts the parts together, runs them until a signal comes, and takes them down in order. */
import { UnusableValueError } from '../config/config-error.js';
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { demoConfig } from '../demo/demo-config.js';
import { startSink } from '../demo/sink.js';
import { createLog, type Log } from '../observe/log.js';
import { ProxyServer, type Listening } from '../proxy/server.js';
import { say, type Command } from './command.js';

export const serve: Command = {
  summary: 'run the proxy; without --config, a demo on loopback',
  usage: `oldhello serve [--config FILE]

Runs the proxy in the foreground until SIGTERM or SIGINT.

  --config FILE   the configuration, in TOML; without it a demo runs: an embedded
                  mail sink behind 127.0.0.1:2525 (STARTTLS) and 127.0.0.1:4465
                  (TLS from the first byte), with a self-signed certificate that is
                  kept in $STATE_DIRECTORY or ~/.local/state/oldhello`,
  options: { config: { type: 'string' } },
  allowPositionals: false,
  async run({ values: { config } }) {
    if (typeof config === 'string') await serveConfigured(config);
    else await serveDemo();
    return undefined;
  },
};

/** @throws ConfigError, CredentialError */
async function serveConfigured(configPath: string): Promise<void> {
  const config = loadConfig(configPath);
  const { log } = createLog(config.log);
  try {
    await run(config, log);
  } catch (error) {
    throw error instanceof UnusableValueError ? error.in(configPath) : error;
  }
}

/** The set-up for trying: an embedded sink, a certificate of our own, everything on loopback. */
async function serveDemo(): Promise<void> {
  const { log } = createLog({ level: 'info' });
  const sink = await startSink(log, 'localhost');
  const config = demoConfig(sink.port);
  const listening = await run(config, log, () => sink.close());
  for (const line of demoInstructions(listening, config)) say(line);
}

async function run(config: Config, log: Log, stopped: () => void = () => undefined): Promise<Listening[]> {
  const server = new ProxyServer(log);
  await server.start(config);
  const { listening } = server;
  for (const { listener, address } of listening) {
    const { name, mode, backend } = listener;
    log('listening', { listener: name, address: address.address, port: address.port, mode, backend });
  }
  stopOnSignal(server, log, stopped);
  return listening;
}

/** The first signal lets sessions finish, the second does not wait. */
function stopOnSignal(server: ProxyServer, log: Log, stopped: () => void): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(0);
    stopping = true;
    log('stopping', { signal });
    void server.stop().then(() => {
      stopped();
      log('stopped');
      // Work nobody waits for any more, such as a search for a prime, must not hold the process.
      process.exit(0);
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function demoInstructions(listening: readonly Listening[], { tls }: Config): string[] {
  const ports = listening.map(({ listener, address }) => {
    const how = listener.mode === 'starttls' ? 'SMTP with STARTTLS' : 'SMTP with TLS from the first byte';
    return `  ${address.address}:${address.port}  ${how}`;
  });
  const port = listening.find(({ listener }) => listener.mode === 'starttls')?.address.port;
  return [
    `oldhello demo, profile ${tls.profile}. Mail goes to an embedded sink, which logs each message and keeps none.`,
    ...ports,
    `Try:  openssl s_client -connect 127.0.0.1:${port} -starttls smtp -crlf -quiet -tls1 -cipher ALL:@SECLEVEL=0`,
    'Stop with Ctrl-C.',
  ];
}
