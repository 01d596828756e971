/** Counts of a bounded number of kinds; further kinds are counted together as "other". */

export class BoundedCounts {
  readonly #counts = new Map<string, { readonly parts: readonly string[]; count: number }>();

  add(parts: readonly string[], count = 1): void {
    const known = this.#counts.get(key(parts));
    if (known !== undefined) known.count += count;
    else if (this.#counts.size < MAX_ENTRIES) this.#counts.set(key(parts), { parts, count });
    else this.#addOther(parts.length, count);
  }

  #addOther(length: number, count: number): void {
    const parts = Array.from({ length }, () => 'other');
    const other = this.#counts.get(key(parts));
    if (other !== undefined) other.count += count;
    else this.#counts.set(key(parts), { parts, count });
  }

  /** The most frequent first. */
  ranked(): (readonly [parts: readonly string[], count: number])[] {
    return [...this.#counts.values()]
      .sort((a, b) => b.count - a.count)
      .map(({ parts, count }) => [parts, count]);
  }
}

function key(parts: readonly string[]): string {
  return parts.join('\0');
}

/** More than there are formats, versions and suites together in any honest log. */
const MAX_ENTRIES = 1000;
