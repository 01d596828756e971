/**
 * A network of the test's own, in which a client can vanish: the program runs in a network namespace, and its packets to
 * and from one address can be dropped, as a dead machine or a broken line drops them. Needs root, ip and iptables.
 */
import { spawnSync } from 'node:child_process';

export interface Namespace {
  /** What makes a command run inside. */
  readonly runner: readonly [string, ...string[]];
  readonly programHost: string;
  /** Outside, and never dropped. */
  readonly backendHost: string;
  /** Outside. */
  readonly clientHosts: readonly [string, string];
  /** From now on nothing from or to this address passes. */
  drop(address: string): void;
  /** The TCP connections of the program, as `ss` prints them with their timers. */
  connections(): string[];
  close(): void;
}

/** What is missing for one, undefined if nothing is. */
export function missingForNamespace(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, for a network namespace';
  const lacking = [
    ['ip', '-V'],
    ['iptables', '-V'],
    ['ss', '-V'],
  ].find(([command, version]) => spawnSync(command!, [version!]).error !== undefined);
  if (lacking !== undefined) return `needs ${lacking[0]}`;
  const name = `${NAME}-probe`;
  const made = spawnSync('ip', ['netns', 'add', name]).status === 0;
  if (made) spawnSync('ip', ['netns', 'del', name]);
  return made ? undefined : 'ip netns cannot make a network namespace here';
}

/** @param index of several at a time, up to 31 */
export function makeNamespace(index: number): Namespace {
  const name = `${NAME}-${index}`;
  const outside = `oh${process.pid % 100_000}o${index}`;
  const inside = `oh${process.pid % 100_000}i${index}`;
  // RFC 5737: TEST-NET-2. Each namespace has eight addresses of it.
  const address = (host: number): string => `198.51.100.${index * 8 + host}`;
  const [programHost, backendHost, first, second] = [2, 1, 3, 4].map(address) as [
    string,
    string,
    string,
    string,
  ];
  const drop = (...rule: string[]): void => {
    ip('netns', 'exec', name, 'iptables', ...rule, '-j', 'DROP');
  };
  ip('netns', 'add', name);
  try {
    ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name);
    for (const host of [backendHost, first, second]) ip('addr', 'add', `${host}/29`, 'dev', outside);
    ip('link', 'set', outside, 'up');
    ip('-n', name, 'addr', 'add', `${programHost}/29`, 'dev', inside);
    ip('-n', name, 'link', 'set', inside, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
  } catch (error) {
    ip('netns', 'del', name);
    throw error;
  }
  return {
    runner: ['ip', 'netns', 'exec', name],
    programHost,
    backendHost,
    clientHosts: [first, second],
    drop: (client) => {
      drop('-A', 'INPUT', '-s', client);
      drop('-A', 'OUTPUT', '-d', client);
    },
    connections: () => ip('netns', 'exec', name, 'ss', '-tnoH', 'state', 'established').trimEnd().split('\n'),
    // Both ends of the link go with it.
    close: () => void ip('netns', 'del', name),
  };
}

/** @throws what it prints when it fails */
function ip(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const NAME = `oldhello-test-${process.pid}`;
