/** Where Node has no TCP handles that we know, its sockets carry everything, in one process and in several. */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { text } from 'node:stream/consumers';
import { test, type Test } from 'tap';
import { visit } from '../support/old-visit.js';
import { startProgram, type Program } from '../support/program.js';
import { proxyConfig } from '../support/proxy-config.js';
import { startTestSink, type TestSink } from '../support/sink.js';

const WITHOUT_HANDLES = `
const { binding } = process;
process.binding = (name) => {
  if (name === 'tcp_wrap') throw new Error('no such binding');
  return binding(name);
};`;

async function start(
  t: Test,
  workers: number,
  script: string,
): Promise<{ program: Program; sink: TestSink }> {
  const sink = await startTestSink();
  const program = await startProgram(
    proxyConfig({
      server: { workers },
      listeners: [
        {},
        { name: 'submissions', mode: 'implicit' },
        { name: 'balanced', 'proxy-protocol': ['192.0.2.0/24'] },
      ],
      backend: { address: sink.port },
      tls: { profile: 'ancient' },
    }),
    3,
    { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` } },
  );
  t.teardown(async () => {
    await program.stop();
    sink.close();
  });
  return { program, sink };
}

for (const workers of [1, 2]) {
  test(`mail of old and modern clients goes through, with ${workers} at work`, async (t) => {
    const { program, sink } = await start(t, workers, WITHOUT_HANDLES);
    t.match(await program.next('started'), { transport: 'sockets' });
    const first = await visit(program.ports.get('mx')!, 'session id', { subject: 'first' });
    t.match(await program.nextConnection(), {
      outcome: 'completed',
      tls: { path: 'engine', resumed: false },
    });
    const second = await visit(program.ports.get('mx')!, 'session id', { earlier: first, subject: 'second' });
    t.match(await program.nextConnection(), { outcome: 'completed', tls: { path: 'engine', resumed: true } });
    t.match([first.reply, second.reply], [/^250 /, /^250 /]);
    t.equal(sink.delivered.length, 2);

    const port = program.ports.get('submissions')!;
    const modern = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    modern.write('QUIT\r\n');
    t.match(await text(modern), /^220 .*\r\n221 /);
    t.match(await program.nextConnection(), { outcome: 'completed', tls: { path: 'native' } });

    const stranger = connect({ port: program.ports.get('balanced')!, host: '127.0.0.1' });
    t.equal(await text(stranger), '');
    t.match(await program.nextConnection(), { outcome: 'bad_proxy_header' });
  });
}

test('where Node has handles, they are used', async (t) => {
  const { program } = await start(t, 1, '');
  t.match(await program.next('started'), { transport: 'handles' });
});
