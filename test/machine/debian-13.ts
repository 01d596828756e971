/**
 * A booted Debian 13 with its own Node, a real systemd and a real Postfix, on which an administrator does what README.md
 * and docs/operation.md say. The commands come from the documents. `npm run test:machine`; it needs root.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, type Test } from 'tap';
import { missing, PYTHON } from '../support/peers/job-client.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { BootedMachine, CLIENT, MACHINE, machineLack, until } from './booted-machine.js';
import { documentCommands, presetLines } from './document-commands.js';
import { makeCertificate, makePackage } from './shared-files.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = documentCommands('README.md');
const OPERATION = documentCommands('docs/operation.md');
const CONFIG = '/etc/oldhello/oldhello.toml';
const PRESETS = '/usr/share/doc/oldhello/examples';

test('every shell command in the documents is run here, or has the reason why not', (t) => {
  t.strictSame(README.unmarked, []);
  t.strictSame(OPERATION.unmarked, []);
  t.end();
});

const lack = machineLack() ?? missing('nassl');
test(
  'on a booted Debian 13',
  { skip: lack !== undefined && process.env['CI'] === undefined && lack },
  async (t) => {
    if (!hasPeer(t, 'a booted Debian 13', lack)) return;
    const shared = mkdtempSync(join(tmpdir(), 'oldhello-machine-'));
    makePackage(shared);
    makeCertificate(shared);
    const machine = await BootedMachine.boot(shared);
    t.teardown(async () => {
      await machine.halt();
      rmSync(shared, { recursive: true, force: true });
    });
    const admin = new Administrator(machine, shared);
    await admin.ok(t, 'a Postfix that serves port 25', PREPARE);

    await t.test('README brings oldhello to port 25, and Postfix behind it', (step) =>
      readmeThere(step, admin),
    );
    await t.test('sockets of systemd: no client is refused during restarts', (step) => restarts(step, admin));
    await t.test('each preset starts, and its clients deliver', (step) => presets(step, admin));
    await t.test('a log file that logrotate rotates, and reports from it', (step) => logFile(step, admin));
    await t.test('without systemd, setpriv gives the low port', (step) => byHand(step, admin));
    await t.test('a wrong configuration is one failure', (step) => wrongConfiguration(step, admin));
    await t.test('README leads back to Postfix alone, and removes everything', (step) =>
      readmeBack(step, admin),
    );
  },
);

/** Acts in the machine, and asserts what it sees there. */
class Administrator {
  readonly machine: BootedMachine;
  /** Seen as /mnt in the machine. */
  readonly shared: string;
  #mails = 0;

  constructor(machine: BootedMachine, shared: string) {
    this.machine = machine;
    this.shared = shared;
  }

  async ok(t: Test, title: string, commands: string): Promise<string> {
    const { code, output } = await this.machine.run(commands);
    t.equal(code, 0, `${title}: exit code`, { commands, output });
    // What follows needs what was to be done here.
    if (code !== 0) throw new Error(`${title} failed`);
    return output;
  }

  /** A block of commands of a document. */
  async follow(t: Test, name: string, { blocks } = README): Promise<string> {
    const commands = blocks.get(name);
    t.ok(commands !== undefined, `the document has the commands "${name}"`);
    return this.ok(t, name, commands ?? 'false');
  }

  async isActive(t: Test, ...units: readonly string[]): Promise<void> {
    const { output } = await this.machine.run(`systemctl is-active ${units.join(' ')} || true`);
    t.strictSame(
      output.trim().split('\n'),
      units.map(() => 'active'),
      `active: ${units.join(', ')}`,
    );
  }

  /** Everything that oldhello logged since it was installed. */
  async log(): Promise<Record<string, unknown>[]> {
    const { output } = await this.machine.run('journalctl -t oldhello -o cat --no-pager');
    return output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async loggedNoWarning(t: Test): Promise<void> {
    const lines = await this.log();
    t.ok(lines.length > 0, 'oldhello logs to the journal under its own name');
    t.strictSame(
      lines.filter(({ level }) => level === 'warn' || level === 'error'),
      [],
      'no warning and no error in the log',
    );
  }

  /** OpenSSL 1.0.2 with an SSLv2-format hello; then the same mail is in Postfix, from the address of the client. */
  async deliversOld(t: Test, port: number, mode: 'starttls' | 'implicit'): Promise<void> {
    const from = this.#sender();
    const job = {
      ...{
        kind: 'mail',
        host: MACHINE,
        port,
        mode,
        protocols: 'SSLV23',
        ciphers: 'ALL:SSLv2',
        newest: 'TLSv1',
      },
      ...{ helo: 'old.example', from, to: RECIPIENT, file: join(this.shared, 'mail') },
    };
    const line = Object.entries(job).map(([key, value]) => `${key}=${value}`);
    const client = join(ROOT, 'test/support/peers/nassl_client.py');
    const { output } = await this.machine.outside(PYTHON, [client], `${line.join('\t')}\n`);
    t.match(output, /"ok": true/, `an SSLv2-format client delivers to port ${port}`, { output });
    await this.#postfixGot(t, from);
    const closed = await until(DELIVERY_TIMEOUT_MS, async () =>
      (await this.log()).reverse().find(({ event }) => event === 'connection_closed'),
    );
    t.match(closed, { hello: { format: 'sslv2' }, client: { address: CLIENT }, outcome: 'completed' });
  }

  async deliversModern(t: Test, port: number, mode: 'starttls' | 'implicit', login = ''): Promise<void> {
    const from = this.#sender();
    const tls = ['s_client', '-connect', `${MACHINE}:${port}`, '-crlf', '-quiet', '-tls1_2'];
    const starttls = mode === 'starttls' ? ['-starttls', 'smtp'] : [];
    const session = ['EHLO new.example', ...(login === '' ? [] : [`AUTH PLAIN ${login}`])];
    const mail = [`MAIL FROM:<${from}>`, `RCPT TO:<${RECIPIENT}>`, 'DATA', 'hello', '.', 'QUIT'];
    const script = [...session, ...mail].map((line) => `sleep 0.3; echo '${line}'`).join('; ');
    const command = `(${script}) | openssl ${[...tls, ...starttls].join(' ')}`;
    const { output } = await this.machine.outside('bash', ['-c', command]);
    t.match(output, /^250 2\.0\.0 Ok: queued/m, `a modern client delivers to port ${port}`, { output });
    await this.#postfixGot(t, from);
  }

  #sender(): string {
    this.#mails += 1;
    return `sender${this.#mails}@old.example`;
  }

  async #postfixGot(t: Test, from: string): Promise<void> {
    const mailbox = await until(DELIVERY_TIMEOUT_MS, async () => {
      const { output } = await this.machine.run('cat /var/mail/alice || true');
      return output.includes(`Return-Path: <${from}>`) || output.includes(`From ${from} `)
        ? output
        : undefined;
    }).catch(() => '');
    t.match(mailbox, `[${CLIENT}]`, 'it is in the mailbox, and Postfix has the address of the client');
  }
}

const RECIPIENT = 'alice@mx.example.com';
const DELIVERY_TIMEOUT_MS = 20_000;

/** What a machine in use has already: a Postfix with a mailbox, and a certificate in certbot's layout. */
const PREPARE = `
postconf -e inet_protocols=all myhostname=mx.example.com 'mydestination=$myhostname, localhost' \
  smtpd_tls_chain_files=/etc/ssl/private/backend.pem smtpd_tls_security_level=may
useradd --create-home alice
install -m 0600 /mnt/backend.pem /etc/ssl/private/backend.pem
mkdir -p /etc/letsencrypt/archive/mx.example.com /etc/letsencrypt/live/mx.example.com
cp /mnt/fullchain.pem /etc/letsencrypt/archive/mx.example.com/fullchain1.pem
install -m 0600 /mnt/privkey.pem /etc/letsencrypt/archive/mx.example.com/privkey1.pem
for part in fullchain privkey; do
  ln -s ../../archive/mx.example.com/\${part}1.pem /etc/letsencrypt/live/mx.example.com/$part.pem
done
chmod 0700 /etc/letsencrypt/archive /etc/letsencrypt/live
cp /mnt/oldhello_*_all.deb /root/
systemctl restart postfix
`;

async function readmeThere(t: Test, admin: Administrator): Promise<void> {
  await admin.follow(t, 'install');
  t.match(
    await admin.ok(t, 'the units are there, and nothing runs', 'systemctl is-enabled oldhello || true'),
    /^disabled$/m,
  );
  const probed = await admin.machine.run(README.blocks.get('probe') ?? 'false');
  t.match(probed.output, /SSLv2-format hello/, 'probe shows which clients Postfix serves');
  for (const name of ['configure', 'certificate', 'postfix-add']) await admin.follow(t, name);
  const checked = await admin.follow(t, 'check');
  t.notMatch(checked, /^(?:BAD|bad)/m, 'check finds nothing bad');
  t.match(await admin.follow(t, 'start'), /Active: active \(running\)/);
  await admin.isActive(t, 'oldhello', 'postfix');
  await admin.deliversOld(t, 25, 'starttls');
  await admin.deliversModern(t, 25, 'starttls');
  t.match(await admin.follow(t, 'log'), /"event":"connection_closed"/, 'the journal has it under "oldhello"');
  await admin.follow(t, 'reload');
  t.ok(
    (await admin.log()).some(({ event }) => event === 'reloaded'),
    'reload returns when it is done',
  );
  await admin.follow(t, 'certificate');
  const reloads = (await admin.log()).filter(({ event }) => event === 'reloaded');
  t.equal(reloads.length, 2, 'the deploy hook reloads oldhello');
  await admin.deliversOld(t, 25, 'starttls');
  await admin.loggedNoWarning(t);
}

/** Clients come all the time, and each must get a greeting. */
async function restarts(t: Test, admin: Administrator): Promise<void> {
  await admin.follow(t, 'sockets', OPERATION);
  await admin.isActive(t, 'oldhello', 'oldhello-port@25.socket');
  const client =
    'import socket,sys,time\nend=time.time()+12\ncount=0\nwhile time.time()<end:\n' +
    ` s=socket.create_connection(("${MACHINE}",25),10)\n s.settimeout(20)\n f=s.makefile("rb")\n` +
    ' assert f.readline().startswith(b"220")\n s.sendall(b"QUIT\\r\\n")\n assert f.readline().startswith(b"221")\n' +
    ' s.close(); count+=1\n time.sleep(0.02)\nprint("served",count)\n';
  const clients = [1, 2, 3].map(() => admin.machine.outside(PYTHON, ['-c', client]));
  for (let turn = 0; turn < 3; turn += 1) await admin.ok(t, 'restart', 'systemctl restart oldhello; sleep 1');
  for (const { code, output } of await Promise.all(clients)) {
    t.equal(code, 0, 'no client was refused', { output });
    t.match(output, /^served \d{2,}$/m);
  }
  await admin.loggedNoWarning(t);
  await admin.follow(t, 'no-sockets', OPERATION);
  await admin.isActive(t, 'oldhello');
  await admin.ok(t, 'the socket is gone', '! systemctl is-active oldhello-port@25.socket');
  await admin.deliversOld(t, 25, 'starttls');
}

interface Preset {
  readonly file: string;
  /** The preset that has the lines for Postfix, where it is another one. */
  readonly postfix?: string;
  /** What must be done for it beside what its comments say; `FILE` is the configuration. */
  readonly adapt?: string;
  readonly deliver: (t: Test, admin: Administrator) => Promise<void>;
}

const LOGIN = Buffer.from('\0alice\0secret').toString('base64');

const PRESET_TRIALS: readonly Preset[] = [
  {
    file: 'oldhello.toml',
    postfix: 'mx.toml',
    deliver: async (t, admin) => {
      await admin.deliversOld(t, 25, 'starttls');
      await admin.deliversModern(t, 465, 'implicit');
    },
  },
  {
    file: 'mx.toml',
    deliver: async (t, admin) => {
      await admin.deliversOld(t, 25, 'starttls');
      await admin.deliversModern(t, 25, 'starttls');
    },
  },
  {
    file: 'devices.toml',
    deliver: async (t, admin) => {
      await admin.deliversOld(t, 25, 'starttls');
      await admin.deliversOld(t, 465, 'implicit');
      await admin.deliversModern(t, 25, 'starttls');
    },
  },
  {
    file: 'bridge.toml',
    // Its backend must be one whose certificate is trusted.
    adapt: `sed -i '/^tls-name/i tls-ca = "/mnt/backend-ca.pem"' ${CONFIG}`,
    deliver: async (t, admin) => {
      await admin.deliversOld(t, 25, 'starttls');
      await admin.deliversModern(t, 25, 'starttls');
    },
  },
  {
    file: 'observe.toml',
    adapt: `postconf -M# smtps/inet 2>/dev/null || true`,
    deliver: async (t, admin) => {
      await admin.deliversModern(t, 25, 'starttls');
      await admin.deliversModern(t, 465, 'implicit');
      const closed = (await admin.log()).filter(({ event }) => event === 'connection_closed').slice(-2);
      const passed = { outcome: 'completed', tls: { path: 'passthrough' } };
      t.match(closed, [passed, passed]);
      const report = await admin.ok(t, 'report', 'journalctl -t oldhello -o json | oldhello report');
      t.match(report, /\d+ connections/);
    },
  },
  {
    file: 'submission.toml',
    adapt: `echo alice:secret | chpasswd; install -m 0644 /mnt/99-oldhello.conf /etc/dovecot/conf.d/; systemctl restart dovecot`,
    deliver: async (t, admin) => {
      await admin.deliversModern(t, 587, 'starttls', LOGIN);
      await admin.deliversModern(t, 465, 'implicit', LOGIN);
    },
  },
];

async function presets(t: Test, admin: Administrator): Promise<void> {
  await admin.ok(
    t,
    'a clean journal',
    'systemctl stop oldhello; journalctl --rotate; journalctl --vacuum-time=1s',
  );
  for (const { file, postfix = file, adapt = 'true', deliver } of PRESET_TRIALS) {
    await t.test(file, async (step) => {
      for (const other of ['master.cf', '99-oldhello.conf']) {
        writeFileSync(join(admin.shared, other), presetLines(postfix, other));
      }
      await admin.ok(
        step,
        'set up as the preset says',
        `cp ${PRESETS}/${file} ${CONFIG}
         cp /etc/postfix/master.cf.before-oldhello /etc/postfix/master.cf
         postconf -M# smtp/inet
         cat /mnt/master.cf >>/etc/postfix/master.cf
         ${adapt}
         systemctl restart postfix
         systemctl restart oldhello`,
      );
      await admin.isActive(step, 'oldhello', 'postfix');
      const checked = await admin.ok(step, 'check', `oldhello check --config ${CONFIG}`);
      step.notMatch(checked, /^(?:BAD|bad)/m);
      await deliver(step, admin);
      await admin.ok(step, 'reload', 'systemctl reload oldhello');
      await admin.isActive(step, 'oldhello');
      await admin.loggedNoWarning(step);
      await admin.ok(step, 'stop', 'systemctl stop oldhello; ! systemctl is-failed oldhello');
    });
  }
}

async function logFile(t: Test, admin: Administrator): Promise<void> {
  await admin.ok(
    t,
    'configured',
    `cp ${PRESETS}/mx.toml ${CONFIG}
     printf '[log]\\nfile = "/var/log/oldhello/oldhello.log"\\n' >>${CONFIG}
     cp /etc/postfix/master.cf.before-oldhello /etc/postfix/master.cf`,
  );
  await admin.follow(t, 'postfix-add');
  await admin.ok(t, 'port 25 is free', 'postconf -M# smtp/inet; postfix reload');
  await admin.ok(t, 'started', 'systemctl start oldhello');
  const greet = `bash -c 'exec 3<>/dev/tcp/127.0.0.1/25; read line <&3; echo QUIT >&3; cat <&3'`;
  await admin.ok(t, 'a client', `${greet}; sleep 1`);
  await admin.ok(t, 'rotated', 'logrotate --force /etc/logrotate.d/oldhello; sleep 2');
  await admin.ok(t, 'another client', `${greet}; sleep 1`);
  const closed = `grep -c connection_closed /var/log/oldhello/oldhello.log.1 /var/log/oldhello/oldhello.log`;
  t.match(await admin.ok(t, 'both files have lines', closed), /\.1:1\n.*\.log:1\n/);
  const mode = await admin.ok(t, 'owner', `stat -c '%U:%G %a' /var/log/oldhello/oldhello.log`);
  t.match(mode, /^oldhello:oldhello 6[04]0$/m);
  t.match(await admin.follow(t, 'report', OPERATION), /2 connections|2 sessions/);
  t.match(
    await admin.follow(t, 'report'),
    /connections.*2 connections/s,
    'from the journal and from the files',
  );
  await admin.ok(t, 'stop', 'systemctl stop oldhello');
}

async function byHand(t: Test, admin: Administrator): Promise<void> {
  const commands = OPERATION.blocks.get('setpriv') ?? 'false';
  await admin.ok(t, 'preset', `cp ${PRESETS}/mx.toml ${CONFIG}`);
  await admin.ok(
    t,
    'started',
    `cat >/root/by-hand <<'END'
${commands}
END
     systemd-run --unit=by-hand bash /root/by-hand
     for turn in $(seq 100); do ! journalctl -u by-hand -o cat | grep -q '"event":"started"' || break; sleep 0.1; done`,
  );
  const log = await admin.ok(t, 'its log', 'journalctl -u by-hand -o cat --no-pager');
  t.match(log, /"event":"privileges","user":"oldhello","capabilities":\["CAP_NET_BIND_SERVICE"\]/);
  t.notMatch(log, /"level":"(?:warn|error)"/);
  await admin.ok(t, 'stop', 'systemctl stop by-hand');
}

async function wrongConfiguration(t: Test, admin: Administrator): Promise<void> {
  await admin.ok(t, 'a mistake', `echo '[nonsense]' >>${CONFIG}`);
  const started = await admin.machine.run('systemctl start oldhello');
  t.not(started.code, 0);
  await admin.ok(t, 'failed, and not restarted', 'systemctl is-failed oldhello');
  const { output } = await admin.machine.run('systemctl show oldhello --property=NRestarts,ExecMainStatus');
  t.match(output, /^NRestarts=0$/m);
  t.match(output, /^ExecMainStatus=2$/m);
  t.match((await admin.machine.run('journalctl -t oldhello -n 5 -o cat --no-pager')).output, /nonsense/);
  await admin.ok(t, 'forget it', 'systemctl reset-failed oldhello; rm /etc/oldhello/oldhello.toml');
}

async function readmeBack(t: Test, admin: Administrator): Promise<void> {
  await admin.follow(t, 'configure');
  await admin.ok(t, 'started once more', 'systemctl start oldhello || systemctl status oldhello');
  await admin.follow(t, 'back');
  const { output } = await admin.machine.outside('bash', [
    '-c',
    `exec 3<>/dev/tcp/${MACHINE}/25; read -r line <&3; echo "$line"`,
  ]);
  t.match(output, /^220 mx\.example\.com ESMTP Postfix/, 'Postfix itself is on port 25 again');
  await admin.follow(t, 'remove');
  const left = await admin.ok(
    t,
    'what is left',
    'ls -d /usr/lib/oldhello /usr/bin/oldhello /var/lib/oldhello /usr/lib/systemd/system/oldhello* ' +
      '/etc/systemd/system/*/oldhello* /etc/oldhello/oldhello.toml 2>/dev/null || true',
  );
  t.equal(left, '', 'a purge leaves nothing');
  t.match(
    await admin.ok(t, 'keys', 'ls /etc/oldhello/tls'),
    /privkey\.pem/,
    'but the keys of the administrator',
  );
  t.match(
    (await admin.machine.run('systemctl status oldhello')).output,
    /could not be found/,
    'systemd has forgotten the unit',
  );
}
