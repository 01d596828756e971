/** For `npm run test:coverage`: what is measured is the code without I/O, whatever test runs it. */
import { readdirSync } from 'node:fs';

const FOLDERS = ['src/tls', 'src/smtp', 'src/proxy-protocol'];

const sources = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`),
);

export default () => sources;
