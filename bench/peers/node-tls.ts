/** The proxy that anybody would write with Node's own tls. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer } from 'node:tls';

const [port, backend, certificate, key] = process.argv.slice(2) as [string, string, string, string];
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
