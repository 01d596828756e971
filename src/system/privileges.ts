/** The user and the capabilities of this process. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Privileges {
  /** Name, or number if it has no name. */
  readonly user: string;
  /** Capabilities of Linux, such as "CAP_NET_BIND_SERVICE". */
  readonly capabilities: readonly string[];
}

export function currentPrivileges(): Privileges {
  const bits = effectiveCapabilities();
  return {
    user: id('-un'),
    capabilities: CAPABILITIES.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n),
  };
}

/** One bit for each capability; 0 where /proc does not show them (not Linux). */
function effectiveCapabilities(): bigint {
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  } catch {
    return 0n;
  }
}

/** @throws Error with the message of id(1) */
function id(...options: readonly string[]): string {
  try {
    return execFileSync('id', options, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  } catch (cause) {
    // id(1) fails for a number without a name, but prints it.
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    if (stdout.trim() !== '') return stdout.trim();
    throw new Error(stderr.trim() || String(cause), { cause });
  }
}

/** In the order of their bits: linux/capability.h. */
const CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;
