/** Where a chart's bars are really drawn: read from the pixels of its canvas. */
import type { Page } from 'playwright-core';

/** In device pixels of the canvas. */
export interface DrawnBars {
  readonly left: number;
  readonly right: number;
  readonly height: number;
  /** How many bars stand apart. */
  readonly count: number;
  readonly plot: { readonly right: number; readonly width: number; readonly height: number };
}

/** @param kind the bars in the colour of this kind of hello */
export async function drawnBars(page: Page, kind: string): Promise<DrawnBars> {
  // uPlot draws in a microtask; two frames later it is on the canvas.
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  return page.evaluate<DrawnBars>(`(() => {
    const canvas = document.querySelector('#chart canvas');
    const plot = document.querySelector('#chart .u-over');
    const scale = canvas.width / canvas.clientWidth;
    const wanted = getComputedStyle(canvas).getPropertyValue('--kind-${kind}').trim();
    const channels = [1, 3, 5].map((at) => parseInt(wanted.slice(at, at + 2), 16));
    const { data, width } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const columns = new Map();
    for (let at = 0; at < data.length; at += 4) {
      if (channels.some((value, index) => data[at + index] !== value)) continue;
      const x = (at / 4) % width;
      columns.set(x, (columns.get(x) ?? 0) + 1);
    }
    return {
      left: Math.min(...columns.keys()),
      right: Math.max(...columns.keys()) + 1,
      height: Math.max(...columns.values()),
      count: [...columns.keys()].filter((x) => !columns.has(x - 1)).length,
      plot: {
        right: (plot.offsetLeft + plot.clientWidth) * scale,
        width: plot.clientWidth * scale,
        height: plot.clientHeight * scale,
      },
    };
  })()`);
}
