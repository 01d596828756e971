/** Clients that are turned away take no descriptors from those that are served. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'tap';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { startTestSink } from '../support/sink.js';
import { SmtpClient } from '../support/smtp-client.js';

const DESCRIPTORS = 300;
const SERVED = 20;
const REFUSED = 600;
/** How many connect at the same time. */
const BATCH = 100;

/** With so few descriptors. */
const RUNNER = ['bash', '-c', `ulimit -n ${DESCRIPTORS}; exec "$@"`, 'bash'] as const;

function descriptorsOf({ pid }: Program): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** A client that reads what it is sent and keeps its side open. @returns it once it was answered */
async function stayingClient(port: number): Promise<{ socket: Socket; reply: string }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
  const reply = await Promise.race([
    once(socket, 'data').then(([bytes]) => String(bytes)),
    once(socket, 'close').then(() => ''),
  ]);
  socket.resume();
  return { socket, reply };
}

test(`${REFUSED} clients that are refused and stay leave descriptors to those that are served`, async (t) => {
  const sink = await startTestSink();
  const program = await startProgram(
    proxyConfig({ backend: { address: sink.port }, limits: { 'max-connections': SERVED } }),
    1,
    { runner: RUNNER },
  );
  const port = program.ports.get('mx')!;
  const served = await Promise.all(
    Array.from({ length: SERVED }, async () => {
      const client = await SmtpClient.connect(port);
      await client.reply();
      return client;
    }),
  );
  const staying: Socket[] = [];
  t.teardown(async () => {
    for (const socket of staying) socket.destroy();
    for (const client of served) client.destroy();
    program.signal('SIGKILL');
    await program.exited;
    sink.close();
  });
  const before = descriptorsOf(program);
  let most = 0;
  for (let done = 0; done < REFUSED; done += BATCH) {
    const refused = await Promise.all(Array.from({ length: BATCH }, () => stayingClient(port)));
    staying.push(...refused.map(({ socket }) => socket));
    t.same([...new Set(refused.map(({ reply }) => reply.slice(0, 3)))], ['421'], 'each is told');
    most = Math.max(most, descriptorsOf(program));
  }
  t.ok(most - before < DESCRIPTORS / 4, `they hold ${most - before} of ${DESCRIPTORS}`);
  for (const client of served) t.match(await client.command('EHLO client.example'), /^250/);
  served.pop()!.destroy();
  await program.next('connection_closed');
  let next = await stayingClient(port);
  staying.push(next.socket);
  while (next.reply.startsWith('421')) staying.push((next = await stayingClient(port)).socket);
  t.match(next.reply, /^220 /, 'and who comes when one of them has left is served');
});
