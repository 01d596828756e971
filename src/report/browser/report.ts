/** The script of the report's page: draws the chart from the figures that the page carries, and sorts tables. */
import { StackedBars } from '../../web/browser/chart.js';
import { makeSortable } from '../../web/browser/sorting.js';
import type { ChartData } from '../../web/chart-data.js';

const figures = document.getElementById('figures')!.textContent;
const data = JSON.parse(figures) as ChartData;
if (data.startsSeconds.length > 0) new StackedBars(document.getElementById('chart')!).show(data);
for (const table of document.querySelectorAll<HTMLTableElement>('table[id]')) makeSortable(table);
