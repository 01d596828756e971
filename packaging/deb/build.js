/**
 * Makes the Debian package from the built program: `npm run package:deb`, or `node packaging/deb/build.js FOLDER` for
 * another place than the present folder. The same sources and SOURCE_DATE_EPOCH (absent: of the last commit, or without
 * git of CHANGELOG.md) make the same package, byte for byte. DEBFULLNAME and DEBEMAIL say who maintains it, as for Debian's own tools.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { bundleWithPackages } from '../../tools/bundle.js';
import { configurationPage, programPage } from './man.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIST = join(ROOT, 'dist');

const { version, description } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
/** Seconds since 1970. */
const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? lastChange());
const date = new Date(epoch * 1000);
const debianVersion = `${version}-1`;
const maintainer = `${process.env.DEBFULLNAME ?? 'oldhello'} <${process.env.DEBEMAIL ?? 'packager@oldhello.invalid'}>`;

const stage = mkdtempSync(join(tmpdir(), 'oldhello-deb-'));
try {
  await fill();
  writeControl();
  const file = join(resolve(process.argv[2] ?? '.'), `oldhello_${debianVersion}_all.deb`);
  settle(stage);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', stage, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  process.stdout.write(`${file}\n`);
} finally {
  rmSync(stage, { recursive: true, force: true });
}

function lastChange() {
  const options = { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  const { status, stdout } = spawnSync('git', ['log', '-1', '--format=%ct'], options);
  return status === 0 ? stdout.trim() : Math.floor(statSync(join(ROOT, 'CHANGELOG.md')).mtimeMs / 1000);
}

async function fill() {
  const release = { version, date: date.toISOString().slice(0, 10) };
  await bundleWithPackages(DIST, join(stage, 'usr/lib/oldhello/dist'));
  chmodSync(join(stage, 'usr/lib/oldhello/dist/cli.js'), 0o755);
  write(
    'usr/lib/oldhello/package.json',
    `${JSON.stringify({ name: 'oldhello', version, type: 'module' })}\n`,
  );
  mkdirSync(join(stage, 'usr/bin'));
  symlinkSync('../lib/oldhello/dist/cli.js', join(stage, 'usr/bin/oldhello'));
  for (const unit of systemdFiles(/\.(?:service|socket)$/)) {
    write(`usr/lib/systemd/system/${unit}`, readFileSync(join(ROOT, 'systemd', unit)));
  }
  write('usr/lib/sysusers.d/oldhello.conf', readFileSync(join(ROOT, 'systemd/oldhello.sysusers.conf')));
  write('usr/share/oldhello/certbot-deploy-hook', readFileSync(join(ROOT, 'packaging/certbot-deploy-hook')));
  chmodSync(join(stage, 'usr/share/oldhello/certbot-deploy-hook'), 0o755);
  write('etc/logrotate.d/oldhello', readFileSync(join(ROOT, 'packaging/logrotate')));
  write('etc/oldhello/oldhello.toml', readFileSync(join(ROOT, 'conf/oldhello.toml')));
  writeZipped('usr/share/man/man1/oldhello.1.gz', programPage(DIST, release));
  writeZipped('usr/share/man/man5/oldhello.toml.5.gz', await configurationPage(DIST, release));
  write(
    'usr/share/lintian/overrides/oldhello',
    '# Not a package of Debian itself, so there is no bug to close.\noldhello: initial-upload-closes-no-bugs *\n',
  );
  documentation('usr/share/doc/oldhello');
}

function systemdFiles(pattern) {
  return readdirSync(join(ROOT, 'systemd')).filter((name) => pattern.test(name));
}

function documentation(folder) {
  cpSync(join(ROOT, 'conf'), join(stage, folder, 'examples'), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md'))) {
    write(join(folder, name), readFileSync(join(ROOT, 'docs', name)));
  }
  for (const name of ['README.md', 'SECURITY.md']) write(join(folder, name), readFileSync(join(ROOT, name)));
  write(`${folder}/copyright`, copyright());
  writeZipped(`${folder}/changelog.gz`, readFileSync(join(ROOT, 'CHANGELOG.md')));
  writeZipped(
    `${folder}/changelog.Debian.gz`,
    `oldhello (${debianVersion}) unstable; urgency=medium\n\n  * See changelog.gz.\n\n` +
      ` -- ${maintainer}  ${date.toUTCString().replace('GMT', '+0000')}\n`,
  );
}

/** Our licence, and those of what is bundled, as their packages have them. */
function copyright() {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const bundled = closure(Object.keys(dependencies), lock).map((name) => {
    const { version: bundledVersion, license } = lock[`node_modules/${name}`];
    return `---- ${name} ${bundledVersion} (${license}), bundled ----\n\n${licenceOf(name)}`;
  });
  return [readFileSync(join(ROOT, 'LICENSE'), 'utf8'), ...bundled].join('\n');
}

/**
 * The text that a package comes with, or for what Debian has in /usr/share/common-licenses, where that is (Debian Policy,
 * 12.5). The short name above must do for those without a text.
 */
function licenceOf(name) {
  const folder = join(ROOT, 'node_modules', name);
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n');
  if (/Apache License\s+Version 2\.0/.test(text))
    return 'The text is in /usr/share/common-licenses/Apache-2.0.\n';
  const [own, gpl] = text.split(/^ *GNU GENERAL PUBLIC LICENSE\n *Version 2, June 1991$/m);
  return gpl === undefined ? text : `${own}The other licence is in /usr/share/common-licenses/GPL-2.\n`;
}

/** These packages and all that they need. */
function closure(names, lock) {
  const all = new Set();
  const add = (name) => {
    const entry = lock[`node_modules/${name}`];
    if (all.has(name) || entry === undefined) return;
    all.add(name);
    for (const needed of Object.keys(entry.dependencies ?? {})) add(needed);
  };
  for (const name of names) add(name);
  return [...all].sort();
}

function writeControl() {
  const installed = filesBelow(stage).reduce(
    (total, file) => total + Math.ceil(statSync(file).size / 1024),
    0,
  );
  write(
    'DEBIAN/md5sums',
    filesBelow(stage)
      .filter((file) => !relative(stage, file).startsWith('etc/'))
      .map(
        (file) => `${createHash('md5').update(readFileSync(file)).digest('hex')}  ${relative(stage, file)}\n`,
      )
      .join(''),
  );
  write('DEBIAN/conffiles', '/etc/logrotate.d/oldhello\n/etc/oldhello/oldhello.toml\n');
  for (const script of ['postinst', 'prerm', 'postrm']) {
    write(`DEBIAN/${script}`, readFileSync(join(ROOT, 'packaging/deb', script)));
    chmodSync(join(stage, 'DEBIAN', script), 0o755);
  }
  write(
    'DEBIAN/control',
    `Package: oldhello
Version: ${debianVersion}
Architecture: all
Maintainer: ${maintainer}
Installed-Size: ${installed}
Depends: nodejs (>= 20.19), passwd
Suggests: postfix | exim4
Section: mail
Priority: optional
Description: TLS proxy in front of a mail server, for very old clients
 ${description.replace(/(.{60,76})\s/g, '$1\n ')}.
 .
 It takes connections with SSLv2-format hellos and SSLv3 to TLS 1.2, and hands
 plain SMTP to the mail server, which it tells who the client really is.
`,
  );
}

/** Regular files, in an order that does not depend on the file system. */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function write(path, content) {
  mkdirSync(dirname(join(stage, path)), { recursive: true });
  writeFileSync(join(stage, path), content);
}

function writeZipped(path, content) {
  write(path, gzipSync(content, { level: 9 }));
}

/** Modes that do not depend on who builds it with which umask, and one time for all. */
function settle(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) settle(path);
    else if (entry.isFile()) chmodSync(path, (statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755);
    lutimesSync(path, epoch, epoch);
  }
  chmodSync(folder, 0o755);
  lutimesSync(folder, epoch, epoch);
}
