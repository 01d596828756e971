/** `tls = "observe"` in front of a real Postfix: nobody is served otherwise than by Postfix alone, and the log knows who came. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTransport } from 'nodemailer';
import { test, type Test } from 'tap';
import type { Report } from '../../src/report/tally.js';
import { capturedHellos } from '../support/hellos.js';
import { OLDEST } from '../support/log-lines.js';
import { makeMessage } from '../support/message.js';
import { missing, startJobClient } from '../support/peers/job-client.js';
import { freePort, postfixLack, postfixTls, smtpService, startPostfix } from '../support/peers/postfix.js';
import { hasPeer } from '../support/peers/require-peer.js';
import { CLI, startProgram, type Program } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { TestClient } from '../support/test-client.js';

type Mode = 'starttls' | 'implicit';
const MODES: readonly Mode[] = ['starttls', 'implicit'];

interface Observed {
  readonly program: Program;
  /** Of Postfix without oldhello. */
  readonly direct: Readonly<Record<Mode, number>>;
  readonly nextMessage: () => Promise<string>;
}

async function startObserved(t: Test): Promise<Observed> {
  const [implicit, directStarttls, directImplicit] = [await freePort(), await freePort(), await freePort()];
  const wrapped = { smtpd_tls_wrappermode: 'yes' };
  const postfix = await startPostfix(
    {
      ...postfixTls().settings,
      smtpd_tls_protocols: '>=TLSv1',
      smtpd_tls_ciphers: 'low',
      tls_low_cipherlist: 'ALL:@SECLEVEL=0',
    },
    smtpService(implicit, wrapped) +
      smtpService(directStarttls, { smtpd_upstream_proxy_protocol: '' }) +
      smtpService(directImplicit, { ...wrapped, smtpd_upstream_proxy_protocol: '' }),
  );
  const program = await startProgram(
    proxyConfig({
      listeners: MODES.map((mode) => ({ name: mode, mode, backend: mode })),
      backends: [
        { name: 'starttls', address: postfix.port, tls: 'observe', 'health-interval': '30s' },
        { name: 'implicit', address: implicit, tls: 'observe', 'health-interval': '30s' },
      ],
      // None of them is for clients whose TLS is not ours.
      limits: {
        'max-handshakes': 1,
        'handshakes-per-second': 1,
        'handshakes-per-second-per-address': 1,
        'starttls-suppress-after': 1,
      },
    }),
    2,
  );
  t.teardown(async () => {
    await program.stop();
    postfix.stop();
  });
  return {
    program,
    direct: { starttls: directStarttls, implicit: directImplicit },
    nextMessage: () => postfix.nextMessage(),
  };
}

/** With Node's TLS. */
async function deliver(port: number, mode: Mode, version?: 'TLSv1' | 'TLSv1.2'): Promise<void> {
  const transport = createTransport({
    host: '127.0.0.1',
    port,
    secure: mode === 'implicit',
    requireTLS: mode === 'starttls',
    name: 'modern.example',
    tls: {
      rejectUnauthorized: false,
      ciphers: 'ALL:@SECLEVEL=0',
      ...(version && { minVersion: version, maxVersion: version }),
    },
  });
  await transport.sendMail({ from: 'a@old.example', to: 'r@new.example', text: 'text' });
  transport.close();
}

/** What a server says after EHLO, up to and with its answer to STARTTLS. */
async function greetingsOf(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const said: string[] = [];
  for (const command of [
    '',
    'EHLO x.example',
    'NOOP',
    'AUTH PLAIN x',
    'XCLIENT ADDR=192.0.2.1',
    'STARTTLS',
  ]) {
    if (command !== '') socket.write(`${command}\r\n`);
    do said.push(((await lines.next()) as { value?: string }).value ?? '000 closed');
    while (said.at(-1)![3] === '-');
  }
  socket.destroy();
  return said.join('\n');
}

/** @returns in hex: an alert that the server answers these bytes with, in whole, or the beginning of its ServerHello */
async function answerTo(port: number, hello: Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = Buffer.alloc(0);
  socket.on('data', (chunk) => (answer = Buffer.concat([answer, chunk])));
  const answered = async (isWhole: () => boolean): Promise<void> => {
    while (!isWhole() && !socket.readableEnded)
      await Promise.race([once(socket, 'data'), once(socket, 'end')]);
  };
  for (const [command, reply] of [
    ['', /^220 .*\r\n/],
    ['EHLO old.example\r\n', /^250 .*\r\n/m],
    ['STARTTLS\r\n', /^220 2\.0\.0 .*\r\n/m],
  ] as const) {
    answer = Buffer.alloc(0);
    if (command !== '') socket.write(command);
    await answered(() => reply.test(answer.toString('latin1')));
  }
  answer = Buffer.alloc(0);
  socket.write(hello);
  await answered(() => answer.length >= ALERT_LENGTH);
  socket.end();
  const isAlert = answer[0] === 21;
  return answer.toString('hex', 0, isAlert ? ALERT_LENGTH : 3);
}

/** Of OpenSSL's s_client, for hellos in both formats, and for one of SSL 2.0 itself. */
const OLD_OPTIONS = ['(default)', '-no_tls1', '-cipher RC4-MD5:RC4-SHA', '-ssl2', '-ssl3'];
/** With its record. */
const ALERT_LENGTH = 7;

test('Postfix, observed', async (suite) => {
  if (!hasPeer(suite, 'Postfix', postfixLack())) return;
  const { program, direct, nextMessage } = await startObserved(suite);

  await suite.test('what Postfix sends in clear reaches the client byte for byte', async (t) => {
    const said = await greetingsOf(program.ports.get('starttls')!);
    t.match(said, /^250-STARTTLS$/m);
    t.equal(said, await greetingsOf(direct.starttls));
    t.match(await program.nextConnection(), { outcome: 'client_gone', reason: 'waiting for client_hello' });
  });

  for (const mode of MODES) {
    await suite.test(`observed, ${mode}: modern clients have the TLS of Postfix`, async (t) => {
      for (const version of [undefined, 'TLSv1.2'] as const) {
        await deliver(program.ports.get(mode)!, mode, version);
        t.match(await nextMessage(), /by mta\.example \(Postfix\)/);
        t.match(await program.nextConnection(), {
          listener: mode,
          outcome: 'completed',
          hello: { format: 'record', version: version ?? 'TLSv1.3' },
          tls: { path: 'passthrough', version: version ?? 'TLSv1.3' },
          ...(mode === 'starttls' && { smtp: { helo: 'modern.example' } }),
        });
      }
    });

    await suite.test(
      `observed, ${mode}: an SSLv2-format hello gets from Postfix what it gets without oldhello`,
      async (t) => {
        if (!hasPeer(t, 'jdk', missing('jdk'))) return;
        const jdk = startJobClient('jdk');
        t.teardown(() => jdk.close());
        const job = {
          ...({
            kind: 'mail',
            mode,
            helo: 'old.example',
            from: 'a@old.example',
            to: 'r@new.example',
          } as const),
          file: makeMessage(100_000).file,
        };
        const served = { ...job, protocols: 'SSLv2Hello,TLSv1', ciphers: 'TLS_RSA_WITH_AES_128_CBC_SHA' };
        t.match(await jdk.run({ ...served, port: program.ports.get(mode)! }), {
          ok: true,
          protocol: 'TLSv1',
        });
        t.match(await nextMessage(), /helo=|old\.example/);
        t.match(await program.nextConnection(), {
          outcome: 'completed',
          hello: { format: 'sslv2', version: 'TLSv1', needs: ['sslv2_hello', 'tls1_0'] },
          tls: { path: 'passthrough', version: 'TLSv1', suite: 'AES128-SHA' },
        });

        const refused = { ...job, protocols: 'SSLv2Hello,SSLv3', ciphers: 'SSL_RSA_WITH_RC4_128_MD5' };
        const through = await jdk.run({ ...refused, port: program.ports.get(mode)! });
        t.match(through, { ok: false });
        t.strictSame(through, await jdk.run({ ...refused, port: direct[mode] }));
        const logged = await program.nextConnection();
        t.match(logged, {
          outcome: 'alert_from_backend',
          fault: 'backend',
          alert: 'handshake_failure',
          hello: { format: 'sslv2', version: 'SSLv3' },
          explanation: /the client offers at most SSLv3 with RC4-MD5/,
        });
        t.notOk(logged.tls);
      },
    );

    await suite.test(
      `observed, ${mode}: the alert of a client that does not trust Postfix is logged as the client's`,
      async (t) => {
        const starttls = mode === 'starttls' ? ['-starttls', 'smtp'] : [];
        const to = `127.0.0.1:${program.ports.get(mode)!}`;
        const args = ['s_client', '-connect', to, ...starttls, '-tls1_2', '-verify_return_error'];
        spawnSync('openssl', args, { input: '' });
        t.match(await program.nextConnection(), {
          outcome: 'alert_from_client',
          fault: 'client',
          alert: /unknown_ca|bad_certificate|certificate_unknown/,
          hello: { version: 'TLSv1.2' },
        });
      },
    );
  }

  await suite.test(
    'captured hellos of all ages get the very alerts of Postfix, and no limit or policy comes between',
    async (t) => {
      const hellos = capturedHellos().filter(
        ({ version, options }) =>
          (version === '0.9.7m' && OLD_OPTIONS.includes(options)) ||
          /^SSLv2Hello,TLSv1,TLSv1.1/.test(options),
      );
      const answers = new Set<string>();
      for (const { client, options, hex, format } of hellos) {
        const hello = Buffer.from(hex, 'hex');
        const through = await answerTo(program.ports.get('starttls')!, hello);
        t.equal(through, await answerTo(direct.starttls, hello), `${client} ${options}`);
        const seen =
          options === '-ssl2'
            ? { outcome: 'alert_from_backend', reason: 'pure_sslv2' }
            : { hello: { format } };
        t.match(await program.nextConnection(), seen);
        answers.add(through.slice(0, 2));
      }
      t.strictSame([...answers].sort(), ['15', '16'], 'some are refused, and some are served');
      t.notOk(program.log.some(({ event }) => event === 'starttls_suppressed'));
    },
  );

  await suite.test('report counts from the log who would break, and who does', async (t) => {
    const port = program.ports.get('starttls')!;
    const before = program.log.length;
    await deliver(port, 'starttls');
    await deliver(port, 'starttls', 'TLSv1');
    await answerTo(port, new TestClient(OLDEST).hello());
    for (let connection = 0; connection < 3; connection++) await program.nextConnection();
    const log = program.log
      .slice(before)
      .map((line) => JSON.stringify(line))
      .join('\n');
    const { stdout } = spawnSync(process.execPath, [CLI, 'report', '--json'], {
      input: log,
      encoding: 'utf8',
    });
    const report = JSON.parse(stdout) as Report;
    t.match(report, { connections: 3, withTls: 2, old: 2 });
    t.match(report.switchOffs, { tls1_0: { senders: 1, connections: 1 } });
    t.match(report.failures, [{ outcome: 'alert_from_backend', connections: 1 }]);
    t.match(report.failures[0]!.reason, /^(?:handshake_failure|protocol_version)$/);
  });

  await suite.test(
    'without a [[certificate]], none is made for clients that are only observed',
    async (t) => {
      t.notOk(existsSync(join(program.folder, 'self-signed.key')));
      t.notOk(
        program.log.some(({ event }) => event === 'backend_down'),
        'health checks accept its certificate',
      );
    },
  );
});
