import { runShare } from './share.js';

await runShare(0, 2);
