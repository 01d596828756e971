/** TOML from text, with errors for somebody who writes it twice a year. */
import { parse, TomlError } from 'smol-toml';
import { ConfigError } from './config-error.js';
import { placesOf } from './toml-positions.js';
import { harmless, show } from './show.js';

/**
 * @param file for the error
 * @throws ConfigError
 */
export function parseToml(source: string, file: string): Record<string, unknown> {
  try {
    return parse(source);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    throw new ConfigError(file, [explain(cause, source)], { cause });
  }
}

function explain({ line, message }: TomlError, source: string): { line: number; message: string } {
  const lines = source.split('\n');
  const text = lines[line - 1]?.trim() ?? '';
  const upToHere = lines.slice(0, line).join('\n');
  const { repeated } = placesOf(upToHere);
  if (repeated?.line === line) {
    return { line, message: `${repeated.path} stands twice, here and on line ${repeated.first}; keep one` };
  }
  const [what = 'not TOML'] = message.split('\n');
  return { line, message: `${what}; found: ${harmless(text)}${quotesHint(text)}` };
}

function quotesHint(text: string): string {
  const [, key, value] = /^([\w-]+)\s*=\s*([^"'[{#\s][^"'#]*?)\s*(?:#.*)?$/.exec(text) ?? [];
  if (key === undefined || value === undefined || /^(?:true|false|[+-]?\d+)$/.test(value)) return '';
  return `; text goes in quotes: ${key} = ${show(value)}`;
}
