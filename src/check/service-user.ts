/**
 * The user of the service and its permissions, which usually differ from those of the administrator who runs a check.
 */
import { spawnSync } from 'node:child_process';

export interface ServiceUser {
  readonly name: string;
  readonly uid: number;
  /** The primary group first. */
  readonly gids: readonly number[];
}

/**
 * @param asked a user from the command line
 * @returns undefined if there is no such user
 * @throws Error if the user from the command line does not exist
 */
export function serviceUser(asked: string | undefined): ServiceUser | undefined {
  const unit = asked === undefined ? unitProperties(['User', 'SupplementaryGroups']) : {};
  const name = asked ?? (unit['User'] || DEFAULT_USER);
  const uid = numbers('id', ['-u', name])[0];
  if (uid === undefined) {
    if (asked !== undefined) throw new Error(`there is no user "${asked}"`);
    return undefined;
  }
  const supplementary = (unit['SupplementaryGroups'] ?? '').split(' ').filter((group) => group !== '');
  const gids = [
    ...numbers('id', ['-g', name]),
    ...numbers('id', ['-G', name]),
    ...supplementary.flatMap(gidOf),
  ];
  return { name, uid, gids: [...new Set(gids)] };
}

/** Files that this user cannot read. The kernel decides, because access lists and the folders above count too. */
export function unreadableFor({ uid, gids }: ServiceUser, files: readonly string[]): string[] {
  if (files.length === 0) return [];
  const script = 'for file; do [ -r "$file" ] || printf "%s\\n" "$file"; done; true';
  const ids = [`--reuid=${uid}`, `--regid=${gids[0]}`, `--groups=${gids.join(',')}`];
  const shell = ['-c', script, 'sh', ...files];
  const unreadable =
    outputOf('setpriv', [...ids, 'sh', ...shell]) ?? outputOf('sh', shell, { uid, gid: gids[0]! }) ?? '';
  return unreadable.split('\n').filter((line) => line !== '');
}

/**
 * Files that systemd reads as root and passes to the service, by the name after `credential:`.
 * @returns undefined if there is no such unit
 */
export function unitCredentials(): ReadonlyMap<string, string> | undefined {
  const unit = outputOf('systemctl', ['cat', UNIT]);
  if (unit === undefined) return undefined;
  const lines = [...unit.matchAll(/^LoadCredential(?:Encrypted)?=([\w.@-]+):(\S+)\s*$/gm)];
  return new Map(lines.map(([, name, path]) => [name!, path!]));
}

function unitProperties(names: readonly string[]): Record<string, string> {
  const options = names.map((name) => `--property=${name}`);
  const lines = (outputOf('systemctl', ['show', UNIT, ...options]) ?? '')
    .split('\n')
    .map((line) => /^(\w+)=(.*)$/.exec(line));
  return Object.fromEntries(lines.flatMap((line) => (line === null ? [] : [[line[1]!, line[2]!]])));
}

function gidOf(group: string): number[] {
  const gid = Number((outputOf('getent', ['group', group]) ?? '').split(':')[2]);
  return Number.isInteger(gid) ? [gid] : [];
}

function numbers(command: string, options: readonly string[]): number[] {
  return (outputOf(command, options) ?? '')
    .trim()
    .split(/\s+/)
    .flatMap((text) => (text === '' ? [] : [Number(text)]));
}

/** Undefined if the command is missing or fails. */
function outputOf(
  command: string,
  options: readonly string[],
  as: { uid?: number; gid?: number } = {},
): string | undefined {
  const { error, status, stdout } = spawnSync(command, options, {
    ...as,
    encoding: 'utf8',
    timeout: COMMAND_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return error === undefined && status === 0 ? stdout : undefined;
}

const UNIT = 'oldhello.service';
/** The user of the packaged unit. */
const DEFAULT_USER = 'oldhello';
const COMMAND_TIMEOUT_MS = 10_000;
