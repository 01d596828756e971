/** For Debian 12, which has no Node that is new enough: a package `nodejs` that carries the Node of the test. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @returns the package's file, nodejs.deb in the folder */
export function buildNodeStandIn(folder: string): string {
  const stage = join(folder, 'nodejs');
  mkdirSync(join(stage, 'DEBIAN'), { recursive: true });
  mkdirSync(join(stage, 'usr/bin'), { recursive: true });
  cpSync(process.execPath, join(stage, 'usr/bin/node'), { dereference: true });
  const version = process.version.slice(1);
  const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
  writeFileSync(
    join(stage, 'DEBIAN/control'),
    `Package: nodejs\nVersion: ${version}\nArchitecture: ${architecture}\nMaintainer: test <root@localhost>\nDescription: the node of this test\n`,
  );
  const file = join(folder, 'nodejs.deb');
  execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '--build', stage, file], { stdio: 'ignore' });
  return file;
}
