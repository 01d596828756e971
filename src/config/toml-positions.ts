/** The line of each key, table and array element of a TOML file, by its path: `tls.profile`, `listener[0].mode`. */

export class TomlPositions {
  readonly #lines = new Map<string, number>();

  /** Only the first line of a path is kept. */
  add(path: string, line: number): void {
    if (!this.#lines.has(path)) this.#lines.set(path, line);
  }

  exactLineOf(path: string): number | undefined {
    return this.#lines.get(path);
  }

  /** @returns a line, from 1. For a path that does not exist: the line of the nearest table or array around it. */
  lineOf(path: string): number | undefined {
    const line = this.#lines.get(path);
    if (line !== undefined) return line;
    const parent = path.replace(LAST_STEP, '');
    return parent === path ? undefined : this.lineOf(parent);
  }
}

/** @param table '' for the top of the document */
export function pathOf(table: string, key: string): string {
  const name = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
  return table === '' ? name : `${table}.${name}`;
}

/** `.key`, `."quoted key"` or `[index]` at the end of a path. */
const LAST_STEP = /(?:\.(?:[\w-]+|"(?:[^"\\]|\\.)*")|\[\d+\])$/;
