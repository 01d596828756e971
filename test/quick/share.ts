/**
 * The tests of `npm run test:quick`: the engine, the codecs, policies, configuration and the log. Many files run in one
 * process, because to start one and to compile for it takes longer than most of them do.
 */
import { readdirSync } from 'node:fs';

const TESTS = new URL('../', import.meta.url);
export const FOLDERS = ['tls', 'smtp', 'proxy-protocol', 'policy', 'config', 'observe'];

/**
 * `npm test` runs them in processes of their own, see package.json. The first watches the heap of its process; the other
 * starts the TLS clients of the machine.
 */
export const LEFT_OUT: readonly string[] = ['tls/short-collections.test.ts', 'observe/hello/library.test.ts'];

/** Runs this share of the files. */
export async function runShare(share: number, shares: number): Promise<void> {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, TESTS), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => `${folder}/${name}`)
      .filter((name) => !LEFT_OUT.includes(name)),
  ).sort();
  for (const [index, file] of files.entries())
    if (index % shares === share) await import(new URL(file, TESTS).href);
}
