/** What an error message repeats of a line that is not TOML. It may end up in a log, so nothing of it may be a password. */
import { LISTS, SECTIONS, type Keys } from './schema.js';
import { harmless, show } from './show.js';

/** @returns the end of a message: what was found, and the quotes that it may lack; '' where nothing is safe to repeat */
export function foundText(line: string): string {
  const text = line.trim();
  const [, name = ''] = KEY_NAME.exec(text) ?? [];
  const isSafe = OPEN_KEYS.has(name) && !words(text).some((word) => HIDDEN_KEYS.has(word));
  const shown = isSafe ? text : (/^[^=:"'{]*/.exec(text)?.[0] ?? '').trim();
  if (shown === '') return '';
  return `; found: ${harmless(shown)}${isSafe ? quotesHint(text) : ''}`;
}

function quotesHint(text: string): string {
  const [, key, value] = /^([\w-]+)\s*=\s*([^"'[{#\s][^"'#]*?)\s*(?:#.*)?$/.exec(text) ?? [];
  if (key === undefined || value === undefined || /^(?:true|false|[+-]?\d+)$/.test(value)) return '';
  return `; text goes in quotes: ${key} = ${show(value)}`;
}

function words(text: string): string[] {
  return text.match(/[\w-]+/g) ?? [];
}

const ENTRIES = [...Object.values<Keys>(SECTIONS), ...Object.values<Keys>(LISTS)].flatMap(
  Object.entries<Keys[string]>,
);
const HIDDEN_KEYS = new Set(
  ENTRIES.filter(([, { format }]) => format.isHidden === true).map(([name]) => name),
);
/** Whose values are no secret. */
const OPEN_KEYS = new Set(ENTRIES.map(([name]) => name).filter((name) => !HIDDEN_KEYS.has(name)));
/** At the beginning of a line; of a dotted key, its last part. */
const KEY_NAME = /^(?:[\w-]+\s*\.\s*)*([\w-]+)\s*=/;
