/** What was measured, as data: tables for people and the JSON file are both made from it. */
import { format, ratio, spread } from './statistics.js';
import { table } from './table.js';

export interface Column {
  readonly key: string;
  readonly head: string;
  readonly digits: number;
}

/** One value a round for each column's key. */
export type Figures = Readonly<Record<string, readonly number[]>>;

export interface Row {
  readonly name: string;
  readonly figures: Figures;
}

export interface Comparison {
  readonly title: string;
  readonly columns: readonly Column[];
  /** What ratios to oldhello are taken of. */
  readonly compared: { readonly key: string; readonly better: 'above 1' | 'below 1' };
  readonly rows: readonly Row[];
  /** Those that could not do it, and what stopped them. */
  readonly unable: readonly { readonly name: string; readonly why: string }[];
  readonly notes: readonly string[];
}

/** The row that the others are compared with. */
export const OURS = 'oldhello';

export function render({ title, columns, compared, rows, unable, notes }: Comparison): string {
  const { key, better } = compared;
  const ours = rows.find(({ name }) => name === OURS)?.figures[key];
  const cells = rows.map(({ name, figures }) => {
    const theirs = figures[key];
    const quotient =
      ours === undefined || theirs === undefined || name === OURS ? '' : format(ratio(ours, theirs), 2);
    return [
      name,
      quotient,
      ...columns.map((column) => {
        const values = figures[column.key];
        return values === undefined ? '' : format(spread(values), column.digits);
      }),
    ];
  });
  const head = ['', `oldhello to it, good ${better}`, ...columns.map((column) => column.head)];
  return [`### ${title}`, table(head, cells), ...refusals(unable), ...notes].join('\n\n');
}

/** One line for each reason, with all who have it. */
function refusals(unable: Comparison['unable']): string[] {
  return [...new Set(unable.map(({ why }) => why))].map((reason) => {
    const names = unable.filter(({ why }) => why === reason).map(({ name }) => name);
    return `Without a figure: ${names.join(', ')} (${reason}).`;
  });
}
