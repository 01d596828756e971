/** The script of the report's page, as text: draws the chart over the table of days, which is there without it. */

/** Expects uPlot, and the figures in the element `days`: {days: seconds[], series: [{label, values}]}. */
export const CHART_SCRIPT = `'use strict';
{
  const holder = document.getElementById('chart');
  const { days, series } = JSON.parse(document.getElementById('days').textContent);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const bars = uPlot.paths.bars({ size: [0.8, 60], align: 0 });
  let plot;
  const draw = () => {
    plot?.destroy();
    const axis = { stroke: css('--text'), grid: { stroke: css('--line'), width: 1 }, ticks: { stroke: css('--line') } };
    plot = new uPlot(
      {
        width: holder.clientWidth,
        height: Math.min(320, Math.max(200, holder.clientWidth / 2.5)),
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
        scales: { y: { range: (_, least, most) => [0, Math.max(1, most * 1.05)] } },
        axes: [axis, { ...axis, size: 60 }],
        series: [
          { value: '{YYYY}-{MM}-{DD}' },
          ...series.map(({ label }, index) => ({
            label,
            stroke: css('--series-' + index),
            fill: index === 0 ? css('--fill') : undefined,
            width: 2,
            paths: index === 0 ? bars : undefined,
            points: { show: days.length < 2 },
          })),
        ],
      },
      [days, ...series.map(({ values }) => values)],
      holder,
    );
  };
  draw();
  new ResizeObserver(() => {
    if (plot.width !== holder.clientWidth) draw();
  }).observe(holder);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
}
`;
