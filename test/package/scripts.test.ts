/** The scripts of package.json run what they promise. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'tap';
import { FOLDERS, LEFT_OUT } from '../quick/share.js';

test('npm test runs what the quick tests leave out, and nothing twice', (t) => {
  const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const alone = LEFT_OUT.map((file) => basename(file, '.test.ts')).join('|');
  t.match(scripts['test'], `--include='test/quick/share-*.ts'`);
  t.match(scripts['test'], `--exclude='test/{${FOLDERS.join(',')}}/**/!(${alone}).test.ts'`);
  t.end();
});
