/**
 * What each peer and the engine were seen to do together: one file a peer, which its test holds against what it sees and
 * docs/interop-matrix.md shows.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import type { ProtocolVersionName } from '../../src/tls/index.js';

/** By a name of what was tried; absent what was not seen to work. */
export interface Findings {
  readonly peer: string;
  /** By suite and version: marks as in the document's legend. */
  readonly handshakes: Readonly<Record<string, Partial<Record<ProtocolVersionName, string>>>>;
  /** `used`: the engine answered it or acted upon it. */
  readonly extensions: Readonly<Record<string, 'used' | 'offered'>>;
  /** Extension types that the engine does not know. */
  readonly ignored: readonly number[];
  readonly scenarios: Readonly<Record<string, true>>;
  /** Bytes that went each way by one cipher of each kind. */
  readonly bulk: number;
}

const FOLDER = new URL('../interop/engine/seen/', import.meta.url);
/** Set to write what was seen instead of checking it. */
const WRITE = process.env['OLDHELLO_WRITE_FINDINGS'] !== undefined;

/** @param name of the file, without its suffix */
export function checkFindings(t: Test, name: string, findings: Findings): void {
  const file = new URL(`${name}.json`, FOLDER);
  if (WRITE) writeFileSync(file, `${JSON.stringify(findings, null, 2)}\n`);
  const recorded = read(file);
  // Another version of a peer may do more or less, and every handshake with it was checked by itself.
  if (recorded.peer !== findings.peer) t.comment(`${findings.peer}: not compared with ${recorded.peer}`);
  else t.strictSame(findings, recorded, `test/interop/engine/seen/${name}.json says what was seen`);
}

/** In the order of their files' names. */
export function allFindings(): Findings[] {
  return readdirSync(FOLDER)
    .sort()
    .map((file) => read(new URL(file, FOLDER)));
}

const read = (file: URL): Findings => JSON.parse(readFileSync(file, 'utf8')) as Findings;
