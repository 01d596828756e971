/** Where in a TOML text a key stands, for error messages; the parser does not tell. */

/**
 * The line, from 1, of `key` in the table `table`, or of the table's own header; undefined where neither is found.
 * @param index which one, of an array of tables
 */
export function locate(source: string, table: string, index: number, key?: string): number | undefined {
  let seen = -1;
  let header: number | undefined;
  let inside = false;
  for (const [number, line] of source.split('\n').entries()) {
    const opened = /^\s*\[{1,2}\s*([\w-]+)\s*\]{1,2}/.exec(line)?.[1];
    if (opened !== undefined) {
      if (opened === table) seen += 1;
      inside = opened === table && seen === index;
      if (inside) header = number + 1;
    } else if (inside && key !== undefined && /^\s*["']?([\w-]+)["']?\s*=/.exec(line)?.[1] === key) {
      return number + 1;
    }
  }
  return header;
}
