/**
 * The fastest mail server there is: says yes to everything and keeps nothing. Prints its port.
 * Commands must come one by one, which is how the load sends them.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { withoutProxyHeader } from './proxy-header.js';

const GREETING = Buffer.from('220 mx.example ESMTP\r\n');
const EHLO = Buffer.from('250-mx.example\r\n250-SIZE 52428800\r\n250 8BITMIME\r\n');
const OK = Buffer.from('250 2.0.0 ok\r\n');
const GO_AHEAD = Buffer.from('354 go ahead\r\n');
const BYE = Buffer.from('221 2.0.0 bye\r\n');
const END = '\r\n.\r\n';

function serve(socket: Socket): void {
  let tail: string | undefined;
  socket.on('error', () => socket.destroy());
  socket.write(GREETING);
  socket.on('data', (chunk) => {
    const bytes = withoutProxyHeader(chunk);
    if (bytes.length === 0) return;
    if (tail !== undefined) {
      tail = (tail + bytes.toString('latin1', Math.max(0, bytes.length - END.length))).slice(-END.length);
      if (tail !== END) return;
      tail = undefined;
      socket.write(OK);
      return;
    }
    const verb = bytes.toString('latin1', 0, 4).toUpperCase();
    if (verb === 'DATA') {
      tail = '';
      socket.write(GO_AHEAD);
    } else if (verb === 'QUIT') socket.end(BYE);
    else socket.write(verb === 'EHLO' ? EHLO : OK);
  });
}

const server = createServer({ noDelay: true }, serve);
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
