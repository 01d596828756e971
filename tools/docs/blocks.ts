/** Pages of docs/ are prose, with blocks between two marks that are generated from the program's tables. */

/** Markdown, by the name in the marks. */
export type Blocks = Readonly<Record<string, string>>;

const BLOCK = /(<!-- generated: (\S+) -->\n)[^]*?(\n<!-- end of \2 -->)/g;

/**
 * The page with each of these blocks between its marks.
 * @throws when the page has other marks than these blocks have names
 */
export function fill(page: string, blocks: Blocks): string {
  const marked = [...page.matchAll(BLOCK)].map(([, , name]) => name!);
  const expected = Object.keys(blocks);
  if (marked.toSorted().join() !== expected.toSorted().join())
    throw new Error(`the page marks ${marked.join(', ')}; generated are ${expected.join(', ')}`);
  return page.replace(
    BLOCK,
    (_, start: string, name: string, end: string) => `${start}\n${blocks[name]!}\n${end}`,
  );
}
