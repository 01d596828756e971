/** Charts of characters. */

/** A bar of `width` cells for `value` of `most`, to an eighth of a cell; at least an eighth for a value above zero. */
export function bar(value: number, most: number, width: number): string {
  if (value <= 0 || most <= 0) return '';
  const eighths = Math.max(1, Math.round((value / most) * width * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + LEFT_EIGHTHS.charAt(eighths % 8).trim();
}

/** Columns `height` lines high, one a value; the first line is the top. */
export function columns(values: readonly number[], height: number): string[] {
  const most = Math.max(...values, 1);
  const eighths = values.map((value) =>
    value <= 0 ? 0 : Math.max(1, Math.round((value / most) * height * 8)),
  );
  return Array.from({ length: height }, (_, line) => {
    const below = (height - 1 - line) * 8;
    return eighths.map((count) => LOWER_EIGHTHS.charAt(Math.min(8, Math.max(0, count - below)))).join('');
  });
}

/** The values in at most `width` groups of equal length, each summed up. */
export function grouped(values: readonly number[], width: number): number[] {
  const length = Math.max(1, Math.ceil(values.length / width));
  return Array.from({ length: Math.ceil(values.length / length) }, (_, index) =>
    values.slice(index * length, (index + 1) * length).reduce((sum, value) => sum + value, 0),
  );
}

const LEFT_EIGHTHS = ' ▏▎▍▌▋▊▉';
const LOWER_EIGHTHS = ' ▁▂▃▄▅▆▇█';
