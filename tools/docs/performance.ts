/** The figures of the last benchmark that was kept. */
import { readFileSync } from 'node:fs';
import { aims } from '../../bench/aims.js';
import type { ProfileReport } from '../../bench/profile.js';
import { PARTS } from '../../bench/profile-parts.js';
import { conditions, ratios, tables, type Report } from '../../bench/report.js';
import type { Blocks } from './blocks.js';

const RESULTS = new URL('../../bench/results.json', import.meta.url);
export const report = JSON.parse(readFileSync(RESULTS, 'utf8')) as Report;
const PROFILE = new URL('../../bench/profile.json', import.meta.url);
const { profiles, transfers } = JSON.parse(readFileSync(PROFILE, 'utf8')) as ProfileReport;

function profileTable(unit: string, all: ProfileReport['profiles']): string {
  return [
    `| ${unit} | ${all.map(({ title }) => title).join(' | ')} |`,
    `| --- |${' --: |'.repeat(all.length)}`,
    ...PARTS.map((part) => `| ${part} | ${all.map(({ parts }) => parts[part].toFixed(0)).join(' | ')} |`),
    `| in all | ${all.map(({ total }) => total.toFixed(0)).join(' | ')} |`,
  ].join('\n');
}

export const performance = (): Blocks => ({
  conditions: conditions(report),
  aims: aims(report),
  ratios: ratios(report),
  'cpu-per-connection': profileTable('Microseconds of CPU', profiles),
  'cpu-per-transfer': profileTable('Milliseconds of CPU for 100 MB', transfers),
  tables: tables(report),
});
