/**
 * The proxy that anybody would write with Node's own tls. It remembers sessions by id only where a fifth argument says so,
 * since Node leaves that to the program.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer } from 'node:tls';

const [port, backend, certificate, key, remember] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string | undefined,
];
const server = createServer(
  {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    minVersion: 'TLSv1',
    ciphers: 'ALL:@SECLEVEL=0',
    honorCipherOrder: true,
  },
  (client) => {
    client.setNoDelay(true);
    const upstream = connect({ port: Number(backend), host: '127.0.0.1', noDelay: true });
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.pipe(upstream).pipe(client);
  },
);
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
if (remember !== undefined) {
  const sessions = new Map<string, Buffer>();
  server.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
    sessions.set(id.toString('hex'), data);
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (error: null, data: Buffer | null) => void) => {
    done(null, sessions.get(id.toString('hex')) ?? null);
  });
}
