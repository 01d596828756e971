/** What the log and systemd have of a stop that comes while a configuration is read. */
import { test, type Test } from 'tap';
import { LifeCycle, type LifeCycleParts } from '../../src/commands/life-cycle.js';
import type { OpenLog } from '../../src/commands/open-log.js';
import { createLogChannel } from '../../src/observe/log.js';
import type { ProxyServer } from '../../src/proxy/server.js';
import type { ServiceManager } from '../../src/system/systemd.js';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'uncaughtException', 'unhandledRejection'] as const;

/** A program that never gets to its end after a stop, and what it says until then. */
function program(t: Test) {
  const said: string[] = [];
  const channel = createLogChannel(({ event }) => said.push(event));
  const log: OpenLog = {
    ...channel,
    dropped: 0,
    reopen: () => undefined,
    close: () => Promise.resolve(),
    exit: () => {
      throw new Error('it ended');
    },
  };
  let configured: (error?: Error) => void = () => undefined;
  const server: Pick<ProxyServer, 'configure' | 'connections' | 'listening' | 'stop'> = {
    configure: () =>
      new Promise<void>((resolve, reject) => {
        configured = (error) => (error === undefined ? resolve() : reject(error));
        said.push('(reads)');
      }),
    connections: 0,
    listening: [],
    stop: () => new Promise(() => undefined),
  };
  const manager: Pick<ServiceManager, 'ready' | 'reloading' | 'stopping'> = {
    ready: () => Promise.resolve(void said.push('READY')),
    reloading: () => Promise.resolve(void said.push('RELOADING')),
    stopping: () => Promise.resolve(void said.push('STOPPING')),
  };
  const parts: LifeCycleParts = {
    server: server as ProxyServer,
    manager: manager as ServiceManager,
    log,
    configuration: { file: '/etc/f.toml', load: () => CONFIG, started: CONFIG },
    stopped: () => undefined,
  };
  const before = SIGNALS.map((name) => process.listeners(name as 'SIGTERM'));
  const lifeCycle = new LifeCycle(parts);
  lifeCycle.watch();
  const signal = (name: NodeJS.Signals): void => {
    process.listeners(name).at(-1)?.(name);
  };
  t.teardown(() => {
    for (const [index, name] of SIGNALS.entries()) {
      for (const listener of process.listeners(name as 'SIGTERM'))
        if (!before[index]!.includes(listener)) process.off(name, listener);
    }
  });
  return { said, signal, lifeCycle, configured: (error?: Error) => configured(error) };
}

const CONFIG = {} as ReturnType<NonNullable<LifeCycleParts['configuration']>['load']>;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

for (const error of [undefined, new Error('no such file')]) {
  test(`after "stopping" nothing is said of a reload that ${error === undefined ? 'is complete' : 'fails'}`, async (t) => {
    const { said, signal, lifeCycle, configured } = program(t);
    await lifeCycle.begin();
    signal('SIGHUP');
    await turn();
    signal('SIGTERM');
    configured(error);
    await turn();
    t.same(said, ['started', 'READY', 'RELOADING', '(reads)', 'stopping', 'STOPPING']);
  });
}

test('a reload that a stop overtakes before it begins does not begin', async (t) => {
  const { said, signal, lifeCycle } = program(t);
  await lifeCycle.begin();
  signal('SIGHUP');
  signal('SIGTERM');
  await turn();
  t.same(said, ['started', 'READY', 'RELOADING', 'stopping', 'STOPPING']);
});

test('a start that a stop overtakes is not reported as one', async (t) => {
  const { said, signal, lifeCycle } = program(t);
  signal('SIGTERM');
  await lifeCycle.begin();
  t.same(said, ['stopping', 'STOPPING']);
});
