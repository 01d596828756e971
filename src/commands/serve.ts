/** `oldhello serve`: starts the proxy, runs it until a signal, and stops it in order. */
import { UnusableValueError } from '../config/config-error.js';
import { locate } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { watchBackends } from '../observe/backend-watch.js';
import type { Log } from '../observe/log.js';
import { hostAndPort } from '../net/endpoint.js';
import type { Listening } from '../proxy/listener/listener-set.js';
import { ProxyServer } from '../proxy/server.js';
import { watchDescriptors } from '../system/descriptor-watch.js';
import { currentPrivileges } from '../system/privileges.js';
import { inheritedSockets, ServiceManager } from '../system/systemd.js';
import { tuneV8 } from '../system/v8.js';
import { say, type Command } from './command.js';
import { loadConfiguration } from './load-configuration.js';
import { LifeCycle, type LifeCycleParts } from './life-cycle.js';
import { openLog } from './open-log.js';

export const serve: Command = {
  summary: 'run the proxy; without --config, a demo on loopback',
  usage: `oldhello serve [--config FILE]

Runs the proxy in the foreground until SIGTERM or SIGINT. SIGHUP makes it read the
configuration and certificates again.

  --config FILE   the configuration, in TOML; without it a demo runs: an embedded
                  mail sink behind 127.0.0.1:2525 (STARTTLS) and 127.0.0.1:4465
                  (TLS from the first byte), with certificates of its own that are
                  kept in $STATE_DIRECTORY or ~/.local/state/oldhello

Exit codes: 0 after SIGTERM or SIGINT; 1 if it failed, or could not start for a reason
that may pass, such as a port that is taken; 2 wrong usage or configuration.`,
  options: { config: { type: 'string' } },
  allowPositionals: false,
  async run({ values: { config } }) {
    tuneV8();
    if (typeof config === 'string') await serveConfigured(config);
    else await serveDemo();
    return undefined;
  },
};

/** @throws ConfigError, CredentialError */
async function serveConfigured(file: string): Promise<void> {
  const load = (): Config => loadConfiguration(file);
  const config = load();
  const sockets = inheritedSockets(process.env, process.pid);
  try {
    const log = openLog(config.log);
    const server = new ProxyServer(log, sockets);
    await run(server, config, {
      log,
      configuration: { file, load, started: config },
      stopped: () => undefined,
    });
  } catch (error) {
    throw error instanceof UnusableValueError ? locate(error, file) : error;
  }
}

/** The demo: a sink, certificates of its own, everything on loopback. */
async function serveDemo(): Promise<void> {
  const log = openLog(DEMO_LOG);
  const [{ demoConfig }, { startSink }] = await Promise.all([
    import('../demo/demo-config.js'),
    import('../demo/sink.js'),
  ]);
  const sink = await startSink(log.log, 'localhost');
  const config = demoConfig(sink.port);
  const server = new ProxyServer(log, []);
  await run(server, config, { log, configuration: undefined, stopped: () => sink.close() });
  for (const line of demoInstructions(server.listening, config)) say(line);
}

async function run(
  server: ProxyServer,
  config: Config,
  parts: Omit<LifeCycleParts, 'server' | 'manager'>,
): Promise<void> {
  const { log } = parts.log;
  const manager = new ServiceManager(process.env, process.pid, ({ message }) => {
    log('notify_failed', { error: message });
  });
  const lifeCycle = new LifeCycle({ ...parts, server, manager });
  lifeCycle.watch();
  const backends = watchBackends(parts.log);
  if (config.admin.address !== undefined) {
    const { openAdmin } = await import('./open-admin.js');
    await openAdmin(config.admin, config.admin.address, parts.log, backends);
  }
  watchDescriptors((exhaustion) => log('descriptors_exhausted', { pid: process.pid, ...exhaustion }));
  await server.start(config);
  logPrivileges(log);
  await lifeCycle.begin();
}

const DEMO_LOG = {
  file: undefined,
  level: 'info',
  format: 'auto',
  priorities: 'auto',
  repeatLimit: 0,
} as const;

function logPrivileges(log: Log): void {
  const privileges = currentPrivileges();
  log('privileges', privileges);
  if (privileges.user === 'root') log('running_as_root');
}

function demoInstructions(listening: readonly Listening[], { tls, admin }: Config): string[] {
  const ports = listening.map(({ listener, address }) => {
    const how = listener.mode === 'starttls' ? 'SMTP with STARTTLS' : 'SMTP with TLS from the first byte';
    return `  ${hostAndPort(address.address, address.port)}  ${how}`;
  });
  const port = listening.find(({ listener }) => listener.mode === 'starttls')?.address.port;
  return [
    `oldhello demo, profile ${tls.profile}. Mail goes to a sink, which logs each message and stores none.`,
    ...ports,
    `Try:  openssl s_client -connect 127.0.0.1:${port} -starttls smtp -crlf -quiet -tls1 -cipher ALL:@SECLEVEL=0`,
    `Look:  http://${admin.address?.host}:${admin.address?.port}/`,
    'Stop with Ctrl-C.',
  ];
}
