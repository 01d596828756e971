/** Lets the reader sort tables by their columns. What was chosen holds when new rows come. */

interface Order {
  readonly column: number;
  readonly descending: boolean;
}

const orders = new Map<string, Order>();

/** Makes a button of every column's title. */
export function makeSortable(table: HTMLTableElement): void {
  for (const [column, header] of [...table.tHead!.rows[0]!.cells].entries()) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = header.textContent.trim();
    button.addEventListener('click', () => {
      const before = orders.get(table.id);
      // Numbers are most interesting from the top, words from A.
      const first = header.classList.contains('number');
      const descending = before?.column === column ? !before.descending : first;
      orders.set(table.id, { column, descending });
      sort(table);
    });
    header.replaceChildren(button);
  }
}

/** Sorts as the reader chose; does nothing where nothing was chosen. */
export function sort(table: HTMLTableElement): void {
  const order = orders.get(table.id);
  const body = table.tBodies[0]!;
  if (order === undefined) return;
  const { column, descending } = order;
  for (const [index, header] of [...table.tHead!.rows[0]!.cells].entries()) {
    if (index === column) header.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
    else header.removeAttribute('aria-sort');
  }
  const rows = [...body.rows].map((row) => ({ row, key: row.cells[column]?.dataset['sort'] ?? '' }));
  rows.sort((a, b) => (descending ? -1 : 1) * collator.compare(a.key, b.key));
  body.append(...rows.map(({ row }) => row));
}

const collator = new Intl.Collator('en', { numeric: true });
