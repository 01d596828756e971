/** The pages of docs/ that have generated blocks. */
import { backends } from './backends.js';
import type { Blocks } from './blocks.js';
import { configuration } from './configuration.js';
import { interopMatrix } from './interop-matrix.js';
import { log } from './log.js';
import { metrics } from './metrics.js';
import { performance } from './performance.js';
import { troubleshooting } from './troubleshooting.js';

export const DOCS = new URL('../../docs/', import.meta.url);

export const PAGES: Readonly<Record<string, () => Blocks>> = {
  'backends.md': backends,
  'configuration.md': configuration,
  'interop-matrix.md': interopMatrix,
  'log.md': log,
  'metrics.md': metrics,
  'performance.md': performance,
  'troubleshooting.md': troubleshooting,
};
