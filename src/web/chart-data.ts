/** What a chart of stacked bars shows, as plain data: a page can carry it as JSON. */

export interface ChartData {
  /** What is counted: "Old hellos". */
  readonly title: string;
  /** The span of time: "7 days". */
  readonly span: string;
  /** Unix time of the beginning of each slot, without gaps, the present one included. */
  readonly startsSeconds: readonly number[];
  readonly slotSeconds: number;
  /** The lowest of each bar first. */
  readonly series: readonly ChartSeries[];
}

export interface ChartSeries {
  readonly label: string;
  /** The CSS property that holds its colour. */
  readonly colour: string;
  /** One a slot. */
  readonly values: readonly number[];
}
