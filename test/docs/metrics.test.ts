/** The dashboard and the alert rules in conf/ ask for metrics that there are. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { METRICS } from '../../src/observe/metric-table.js';
import { hasPeer } from '../support/peers/require-peer.js';

const CONF = fileURLToPath(new URL('../../conf/', import.meta.url));

/** Names that a query may use: a histogram has three. */
const NAMES = new Set(
  Object.entries(METRICS).flatMap(([name, { type }]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ),
);

const LABELS = new Set(['job', 'instance', 'le', ...Object.values(METRICS).flatMap(({ labels }) => labels)]);

function strangersIn(queries: readonly string[]): string[] {
  return queries.flatMap((query) => [
    ...(query.match(/oldhello_\w+/g) ?? ['no metric of ours']).filter((name) => !NAMES.has(name)),
    ...[...query.matchAll(/(\w+)\s*=~?\s*"|by \(([^)]*)\)/g)]
      .flatMap(([, label, list]) => label ?? list!.split(/,\s*/))
      .filter((label) => !LABELS.has(label as never)),
  ]);
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly uid: string;
  readonly panels: readonly Panel[];
}

test('the dashboard asks for metrics and labels that there are, and has no panel on another', async (t) => {
  const dashboard = JSON.parse(readFileSync(`${CONF}grafana-dashboard.json`, 'utf8')) as Dashboard;
  const { panels } = dashboard;
  t.ok(dashboard.schemaVersion >= 39, 'of Grafana 11 or later');
  t.ok(panels.length >= 12);
  for (const { title, type, targets = [], gridPos } of panels) {
    t.ok(gridPos.x + gridPos.w <= 24, `${title} is on the page`);
    if (type === 'row') continue;
    t.ok(targets.length > 0, `${title} shows something`);
    t.same(strangersIn(targets.map(({ expr }) => expr)), [], title);
  }
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
  );
  t.equal(new Set(cells).size, cells.length);
});

test('the alert rules ask for metrics that there are, and promtool takes them', async (t) => {
  const rules = readFileSync(`${CONF}prometheus-alerts.yml`, 'utf8');
  const queries = rules.match(/^ +expr: .*(?:\n {10,}.*)*/gm) ?? [];
  t.ok(queries.length >= 6);
  t.same(strangersIn(queries), []);
  const found = spawnSync('promtool', ['--version']).error === undefined;
  if (!hasPeer(t, 'promtool', found ? undefined : 'needs promtool (Debian package prometheus)')) return;
  const checked = spawnSync('promtool', ['check', 'rules', `${CONF}prometheus-alerts.yml`], {
    encoding: 'utf8',
  });
  t.equal(checked.status, 0, checked.stdout + checked.stderr);
});
