/** Tables of a page: columns are declared once, and rows are made from data. Runs in the server and in the browser. */
import { html, type Html } from './html.js';

/** @template T a row @template D what the whole page shows */
export interface Column<T, D> {
  readonly title: string;
  readonly cell: (row: T, data: D) => Html | string | number;
  /** The sort key, where it differs from the text shown. */
  readonly sort?: (row: T) => string | number;
  readonly align?: 'right';
}

export interface TableOptions<T, D> {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column<T, D>[];
  readonly rows: (data: D) => readonly T[];
  /** The text of a table without rows. */
  readonly empty: string;
}

/** A table of any rows. */
export interface Table<D> {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly { readonly title: string; readonly align?: 'right' }[];
  readonly count: (data: D) => number;
  /** The rows of the table's body. */
  readonly body: (data: D) => Html;
}

export function table<T, D>({ id, caption, columns, rows, empty }: TableOptions<T, D>): Table<D> {
  const row = (one: T, data: D): Html =>
    html`<tr role="row">
      ${columns.map((column) => cell(column, one, data))}
    </tr>`;
  const nothing = html`<tr role="row" class="empty">
    <td role="cell" colspan="${columns.length}">${empty}</td>
  </tr>`;
  return {
    id,
    caption,
    columns,
    count: (data) => rows(data).length,
    body: (data) => {
      const all = rows(data);
      return all.length === 0 ? nothing : html`${all.map((one) => row(one, data))}`;
    },
  };
}

function cell<T, D>({ title, cell: show, sort, align }: Column<T, D>, row: T, data: D): Html {
  const shown = show(row, data);
  const by = sort?.(row) ?? (typeof shown === 'object' ? undefined : shown);
  const sorted = by === undefined ? html`` : html` data-sort="${by}"`;
  const right = align === undefined ? html`` : html` class="number"`;
  return html`<td role="cell" data-label="${title}" ${sorted} ${right}><span>${shown}</span></td>`;
}

/** The table with its caption and header. */
export function tableHtml<D>({ id, caption, columns, body }: Table<D>, data: D): Html {
  return html`<table role="table" id="${id}-table">
    <caption id="${id}-caption">
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(({ title, align }) => {
          return html`<th role="columnheader" scope="col" class="${align === undefined ? '' : 'number'}">
            ${title}
          </th>`;
        })}
      </tr>
    </thead>
    <tbody role="rowgroup" id="${id}-body">
      ${body(data)}
    </tbody>
  </table>`;
}

export const time = (at: string, shown: string): Html =>
  html`<time datetime="${at}" title="${at.slice(0, 16).replace('T', ' ')} UTC">${shown}</time>`;

export const badge = (kind: 'good' | 'bad' | 'warn' | 'calm', text: string): Html =>
  html`<span class="badge ${kind}">${text}</span>`;

export const code = (text: string): Html => (text === '' ? html`` : html`<span class="code">${text}</span>`);
