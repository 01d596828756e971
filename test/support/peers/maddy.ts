/** A maddy of its own for one test, built from its Go module: a mail server whose TLS is Go's. */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { SMTPServer } from 'smtp-server';
import { BACKEND_GUIDES } from '../../../tools/docs/backend-guides.js';
import { adapt, freePorts, linesFor, makeCertificate, mtaFolder, untilListening, type Mta } from './mta.js';
import { portsOf } from './unpacked-mta.js';

const MADDY = fileURLToPath(new URL('../../../.peers/maddy/maddy', import.meta.url));

export const maddyLack = (): string | undefined =>
  existsSync(MADDY) ? undefined : 'needs maddy, which .ci/install-mtas builds';

/** As if the guide had it. */
const UNGUARDED = 10024;

/** @returns `unguarded`: the port that takes clients without oldhello in front of it */
export async function startMaddy(): Promise<Mta & { readonly unguarded: number }> {
  const folder = mtaFolder('maddy');
  const certificate = makeCertificate(folder);
  const ports = await freePorts([...portsOf(BACKEND_GUIDES.maddy), UNGUARDED]);
  const store = await startStore();
  const replacements = [
    ...ports,
    ['/etc/ssl/backend.crt', certificate.chain],
    ['/etc/ssl/backend.key', certificate.key],
    ['/etc/oldhello/backend-ca.pem', certificate.chain],
  ] as const;
  writeFileSync(
    join(folder, 'maddy.conf'),
    `state_dir ${folder}/state
runtime_dir ${folder}/run
hostname mta.example
log stderr
${adapt(linesFor(BACKEND_GUIDES.maddy, 'maddy.conf'), replacements)}
smtp tcp://127.0.0.1:${ports.get(UNGUARDED)} {
  deliver_to &mailboxes
}
target.smtp mailboxes {
  starttls off
  targets tcp://127.0.0.1:${store.port}
}
`,
  );
  const output = openSync(join(folder, 'output'), 'w');
  const child = spawn(MADDY, ['--config', join(folder, 'maddy.conf'), 'run'], {
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const log = (): string => readFileSync(join(folder, 'output'), 'utf8');
  await untilListening(
    ports.values(),
    () => child.exitCode !== null,
    () => `maddy did not start: ${log()}`,
  );
  return {
    unguarded: ports.get(UNGUARDED)!,
    certificate: certificate.pem,
    backend: ({ backend }, identity = 'proxy-v2') =>
      adapt(backend, [...replacements, ['proxy-v2', identity] as const]),
    nextMessage: store.next,
    relaysForItself: false,
    knowsClients: true,
    log,
    async stop() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Store {
  readonly port: number;
  readonly next: () => Promise<string>;
  readonly close: () => void;
}

/** Where it delivers to, since its own mailboxes are no files. */
async function startStore(): Promise<Store> {
  const messages: string[] = [];
  const arrivals = new EventEmitter();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    logger: false,
    onData: (stream, _, done) => {
      void text(stream).then((message) => {
        messages.push(message);
        arrivals.emit('message');
        done();
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  let asked = 0;
  return {
    port: (server.server.address() as AddressInfo).port,
    async next() {
      const index = asked++;
      while (messages.length <= index) await once(arrivals, 'message');
      return messages[index]!;
    },
    close: () => server.close(() => undefined),
  };
}
