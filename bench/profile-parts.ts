/** Which part of a server the samples of a CPU profile belong to. */

/** What V8 writes: a tree of calls, and which node of it was running at each sample. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  /** Microseconds. */
  readonly startTime: number;
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

export const PARTS = [
  'the private key',
  "sockets: the kernel, and Node's net and streams",
  'ciphers, MACs and hashes: node:crypto, RC4, and the PRF of TLS 1.0',
  'the TLS engine',
  'the connection: gate, backend session, PROXY header, limits',
  'the log, and the facts it tells',
  'garbage collection',
  'V8 and the event loop, not attributed',
] as const;
export type Part = (typeof PARTS)[number];

const [KEY, SOCKETS, CIPHERS, ENGINE, CONNECTION, LOG, GARBAGE, REST] = PARTS;

/** Shares of the time that the program ran, between two moments on the profile's clock. */
export function partsOf(profile: CpuProfile, from: number, to: number): Record<Part, number> {
  const parts = classify(profile);
  const times = Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<Part, number>;
  let now = profile.startTime;
  let total = 0;
  profile.samples.forEach((id, index) => {
    const delta = profile.timeDeltas[index]!;
    now += delta;
    const part = parts.get(id);
    if (now < from || now > to || part === undefined) return;
    times[part] += delta;
    total += delta;
  });
  for (const part of PARTS) times[part] /= total;
  return times;
}

/** Idle time has no part. */
function classify({ nodes }: CpuProfile): Map<number, Part> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parts = new Map<number, Part>();
  const visit = (id: number, callers: readonly string[]): void => {
    const { callFrame, children = [] } = byId.get(id)!;
    const { functionName, url } = callFrame;
    const stack = [url === '' ? functionName : `${url} ${functionName}`, ...callers];
    const part = partOf(stack);
    if (part !== undefined) parts.set(id, part);
    for (const child of children) visit(child, stack);
  };
  visit(nodes[0]!.id, []);
  return parts;
}

/** @param stack URL and name of each function, the one that runs first; those of C++ have a name only */
function partOf(stack: readonly string[]): Part | undefined {
  const [running] = stack;
  if (running === '(idle)' || running === '(root)') return undefined;
  if (running === '(garbage collector)') return GARBAGE;
  if (stack.some((frame) => frame.endsWith(' decryptWithoutPadding'))) return KEY;
  const code = stack.find((frame) => frame.includes(':'));
  if (code === undefined) return REST;
  if (/^node:(?:net|events|stream|internal\/(?:streams|stream_base_commons|net))/.test(code)) return SOCKETS;
  const ours = stack.find((frame) => /\/dist\/|\/node_modules\//.test(frame));
  if (ours === undefined) return REST;
  if (/\/dist\/(?:proxy\/transport\/)/.test(ours)) return SOCKETS;
  if (/\/dist\/tls\/crypto\/(?:md5|prf|rc4|sha1|short-hmac|ssl3)\./.test(ours)) return CIPHERS;
  if (ours.includes('/dist/tls/'))
    return /^node:(?:crypto|internal\/crypto\/(?:cipher|hash))/.test(code) ? CIPHERS : ENGINE;
  if (/\/dist\/(?:observe|system\/line-output|commands)|\/node_modules\//.test(ours)) return LOG;
  return CONNECTION;
}
