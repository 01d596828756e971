/** Repeats values from the file in an error message. */

/** A value in TOML notation. */
export function show(value: unknown): string {
  return harmless(render(value));
}

/** Without control characters, and cut to a length that people read. */
export function harmless(text: string): string {
  const cut = text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
  return cut.replace(/[\p{C}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function render(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : showNotFinite(value);
  if (value instanceof Date) return 'a date';
  if (Array.isArray(value)) return `[${value.slice(0, MAX_ELEMENTS).map(render).join(', ')}]`;
  return typeof value === 'object' && value !== null ? 'a table' : JSON.stringify(value);
}

function showNotFinite(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}

/** Characters. */
const MAX_SHOWN_CHARACTERS = 80;
/** More do not fit in MAX_SHOWN_CHARACTERS. */
const MAX_ELEMENTS = 20;
