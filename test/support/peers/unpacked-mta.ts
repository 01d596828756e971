/** A mail server from an unpacked Debian package, configured by the lines of its guide, for one test. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendGuide } from '../../../tools/docs/backend-guides.js';
import { FIRST_USER, startInOverlay, stopOverlay } from './in-overlay.js';
import {
  adapt,
  freePorts,
  linesFor,
  makeCertificate,
  makeMaildir,
  mtaFolder,
  untilListening,
  type Mta,
} from './mta.js';

/** What a recipe may refer to. */
export interface Place {
  /** Seen under this path by the server too. */
  readonly folder: string;
  /** A maildir that belongs to the first of the users. */
  readonly mail: string;
  /** The guide's lines for a file, with this place's ports and paths. */
  readonly lines: (file: string) => string;
}

export interface Recipe {
  /** The folder below .peers/mta. */
  readonly name: string;
  readonly guide: BackendGuide;
  readonly users: readonly string[];
  files(place: Place): Record<string, string>;
  /** Run by sh as root; ends by `exec`ing the server in the foreground. */
  script(place: Place): string;
  /** Below the folder; the server's output if absent. */
  readonly logFile?: string;
}

export async function startUnpacked(recipe: Recipe): Promise<Mta> {
  const { name, guide, users, logFile = 'output' } = recipe;
  const folder = mtaFolder(name);
  const certificate = makeCertificate(folder);
  const ports = await freePorts(portsOf(guide));
  const { next } = makeMaildir(join(folder, 'mail'), FIRST_USER);
  const replacements = [
    ...ports,
    ['/etc/ssl/backend.crt', certificate.chain],
    ['/etc/ssl/backend.key', certificate.key],
    ['/etc/oldhello/backend-ca.pem', certificate.chain],
  ] as const;
  const place: Place = {
    folder,
    mail: join(folder, 'mail'),
    lines: (file) => adapt(linesFor(guide, file), replacements),
  };
  const child = startInOverlay({
    name,
    shared: folder,
    users,
    files: recipe.files(place),
    script: recipe.script(place),
  });
  const text = (file: string): string => readFileSync(join(folder, file), 'utf8');
  await untilListening(
    ports.values(),
    () => child.exitCode !== null,
    () => `${name} did not start: ${text('output')}`,
  );
  return {
    certificate: certificate.pem,
    backend: ({ backend }, identity = 'proxy-v2') =>
      adapt(backend, [...replacements, ['proxy-v2', identity]]),
    nextMessage: next,
    relaysForItself: true,
    knowsClients: true,
    log: () => text(logFile),
    async stop() {
      await stopOverlay(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The ports that the guide tells oldhello to connect to. */
export function portsOf({ setups }: BackendGuide): number[] {
  const ports = Object.values(setups).map(({ backend }) => Number(/:(\d+)"/.exec(backend)![1]));
  return [...new Set(ports)];
}
