/** Configurations for tests: what a test gives, over defaults that suit most of them. */

export type TomlValue = string | number | boolean | readonly (string | number)[];

/** The keys of one table. A key that is undefined is left out, so a default can be taken away. */
export type Table = Readonly<Record<string, TomlValue | undefined>>;

export interface ProxyConfig {
  readonly server?: Table;
  /** One STARTTLS listener named `mx` where none is given; what is given is laid over it. */
  readonly listeners?: readonly Table[];
  /** The only backend. A number as its `address` is a port of 127.0.0.1. */
  readonly backend?: Table;
  /** In place of `backend`, where there are several. */
  readonly backends?: readonly Table[];
  readonly certificates?: readonly Table[];
  readonly tls?: Table;
  readonly limits?: Table;
  readonly policies?: readonly Table[];
  readonly sessionStore?: Table;
  readonly admin?: Table;
  readonly log?: Table;
}

/** `STATE` is the folder of the program under test; see startProgram. */
const SERVER: Table = { hostname: 'proxy.example', 'state-directory': 'STATE' };
const LISTENER: Table = { name: 'mx', address: '127.0.0.1:0', mode: 'starttls', backend: 'mta' };
/** No health checks, and a session for each client: fake backends count the connections that they get. */
const BACKEND: Table = {
  name: 'mta',
  identity: 'proxy-v2',
  'health-interval': '0',
  'first-session': 'live',
};

/** A line for each connection: tests make many of a kind from one address. */
const LOG: Table = { 'repeat-limit': 0 };

/** A STARTTLS and an implicit listener, each named after its mode. */
export const BOTH_MODES: readonly Table[] = ['starttls', 'implicit'].map((mode) => ({ name: mode, mode }));

/** @returns TOML */
export function proxyConfig({ backends, ...config }: ProxyConfig = {}): string {
  const parts = [
    table('[server]', { ...SERVER, ...config.server }),
    ...(config.listeners ?? [{}]).map((own) => table('[[listener]]', { ...LISTENER, ...own })),
    ...(backends ?? [config.backend ?? {}]).map((own) =>
      table('[[backend]]', withAddress({ ...BACKEND, ...own })),
    ),
    ...(config.certificates ?? []).map((own) => table('[[certificate]]', own)),
    table('[tls]', config.tls),
    table('[limits]', config.limits),
    ...(config.policies ?? []).map((own) => table('[[policy]]', own)),
    table('[session-store]', config.sessionStore),
    table('[admin]', config.admin),
    table('[log]', { ...LOG, ...config.log }),
  ];
  return parts.join('');
}

function withAddress({ address = 1, ...backend }: Table): Table {
  return { ...backend, address: typeof address === 'number' ? `127.0.0.1:${address}` : address };
}

function table(header: string, keys: Table | undefined): string {
  if (keys === undefined) return '';
  // JSON's strings, numbers, booleans and arrays of them are TOML's.
  const lines = Object.entries(keys).map(([key, value]) =>
    value === undefined ? '' : `${key} = ${JSON.stringify(value)}\n`,
  );
  return `${header}\n${lines.join('')}`;
}
