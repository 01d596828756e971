/**
 * The commands that documents give. Each block of shell commands has a comment before it: `<!-- machine: NAME -->` for
 * one that test/machine runs, or `<!-- not run: REASON -->`.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface DocumentCommands {
  /** By the name in the comment. */
  readonly blocks: ReadonlyMap<string, string>;
  /** Blocks of shell commands without a comment. */
  readonly unmarked: readonly string[];
}

/** @param file below the root of the project, such as "README.md" */
export function documentCommands(file: string): DocumentCommands {
  const text = readFileSync(ROOT + file, 'utf8');
  const blocks = new Map<string, string>();
  const unmarked: string[] = [];
  for (const { index, 0: whole, 1: indent, 2: body } of text.matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)) {
    const before = text.slice(0, index).trimEnd().split('\n').at(-1)!.trim();
    const [, name] = /^<!-- machine: (.+) -->$/.exec(before) ?? [];
    if (name !== undefined) blocks.set(name, body!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
    else if (!/^<!-- not run: .+ -->$/.test(before)) unmarked.push(whole);
  }
  return { blocks, unmarked };
}

/** The lines for this file of another program that a preset has in its comments. */
export function presetLines(preset: string, file: string): string {
  const text = readFileSync(`${ROOT}conf/${preset}`, 'utf8').replaceAll(/^#(?: |$)/gm, '#|');
  const [, lines = ''] = new RegExp(`${file}[^\\n]*:\\n((?:#\\| {2}.*\\n)+)`).exec(text) ?? [];
  return lines.replaceAll(/^#\| {2}/gm, '');
}
