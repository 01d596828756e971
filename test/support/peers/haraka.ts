/** A Haraka of its own for one test, from npm: below .peers, because it is no dependency of this project. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import {
  adapt,
  freePorts,
  makeCertificate,
  makeMaildir,
  mtaFolder,
  untilListening,
  type Mta,
} from './mta.js';
import { portsOf } from './unpacked-mta.js';

const HARAKA = fileURLToPath(new URL('../../../.peers/haraka/node_modules/Haraka', import.meta.url));
const GUIDE = BACKEND_GUIDES.Haraka;

export const harakaLack = (): string | undefined =>
  existsSync(HARAKA) ? undefined : 'needs Haraka, which .ci/install-mtas installs';

/** @param identity it takes from one address either PROXY headers, always, or XCLIENT */
export async function startHaraka(identity: 'proxy' | 'xclient'): Promise<Mta> {
  const folder = mtaFolder('haraka');
  const certificate = makeCertificate(folder);
  const ports = await freePorts(portsOf(GUIDE));
  const { next } = makeMaildir(join(folder, 'mail'), process.getuid!());
  const config = join(folder, 'config');
  for (const name of [config, join(folder, 'plugins')]) mkdirSync(name);
  const { plain, xclient, starttls, implicit, auth } = GUIDE.setups;
  const replacements = [
    ...ports,
    ['/etc/ssl/backend.crt', certificate.chain],
    ['/etc/ssl/backend.key', certificate.key],
    ['/etc/oldhello/backend-ca.pem', certificate.chain],
  ] as const;
  const proxied = identity === 'proxy' ? plain.lines['config/connection.ini'] : '';
  const plugins = [
    ...(identity === 'proxy' ? [] : [xclient.lines['config/plugins']]),
    starttls.lines['config/plugins'],
    auth.lines['config/plugins'],
    'rcpt_to.in_host_list',
    'maildir',
  ];
  const files: Record<string, string> = {
    me: 'mta.example\n',
    host_list: 'new.example\n',
    loglevel: 'LOGINFO\n',
    'smtp.ini': adapt(
      `${plain.lines['config/smtp.ini']}\n${implicit.lines['config/smtp.ini']}\nnodes=0\n`,
      ports,
    ),
    // The file of the package, with ours in its place: a file of one's own replaces it whole.
    'connection.ini': readFileSync(join(HARAKA, 'config/connection.ini'), 'utf8').replace(
      '[haproxy]',
      proxied === '' ? '[haproxy]' : proxied,
    ),
    'tls.ini': adapt(starttls.lines['config/tls.ini'], replacements),
    'auth_flat_file.ini': `${auth.lines['config/auth_flat_file.ini']}\n`,
    plugins: `${plugins.join('\n')}\n`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(config, name), text);
  // It would search for a group of its own, for minutes.
  const group = ['genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048'];
  spawnSync('openssl', [...group, '-out', join(config, 'dhparams.pem')]);
  writeFileSync(join(folder, 'plugins', 'maildir.js'), MAILDIR_PLUGIN);
  const output = openSync(join(folder, 'output'), 'w');
  const child = spawn(process.execPath, [join(HARAKA, 'bin/haraka'), '-c', folder], {
    stdio: ['ignore', output, output],
    env: { ...process.env, MAILDIR: join(folder, 'mail') },
  });
  closeSync(output);
  const log = (): string => readFileSync(join(folder, 'output'), 'utf8');
  await untilListening(
    ports.values(),
    () => child.exitCode !== null,
    () => `Haraka did not start: ${log()}`,
  );
  return {
    certificate: certificate.pem,
    backend: ({ backend }, identity) =>
      adapt(backend, [...replacements, ...(identity === undefined ? [] : [['proxy-v1', identity] as const])]),
    nextMessage: next,
    relaysForItself: false,
    knowsClients: true,
    log,
    async stop() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A message shows in the folder only when it is whole. Whoever logged in counts as outbound. */
const MAILDIR_PLUGIN = `
const { createWriteStream, renameSync } = require('node:fs');
exports.hook_queue = (next, { transaction }) => {
  const file = (folder) => process.env.MAILDIR + '/' + folder + '/' + transaction.uuid;
  const stream = createWriteStream(file('tmp'));
  stream.once('close', () => {
    renameSync(file('tmp'), file('new'));
    next(OK);
  });
  transaction.message_stream.pipe(stream);
};
exports.hook_queue_outbound = exports.hook_queue;
`;
