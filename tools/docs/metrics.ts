/** Every metric. */
import { METRICS } from '../../src/observe/metric-table.js';
import type { Blocks } from './blocks.js';
import { table } from './table.js';

export const metrics = (): Blocks => ({
  metrics: table(
    ['metric', 'type', 'labels', 'meaning'],
    Object.entries(METRICS).map(([name, { type, labels, help }]) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      help,
    ]),
  ),
});
