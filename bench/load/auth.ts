/**
 * What nginx's mail proxy asks where a session goes (auth_http); it always goes to the port in the first argument. One
 * answer a connection, since nginx opens a new one for each. Prints its own port.
 */
import { createServer, type AddressInfo } from 'node:net';

const ANSWER = Buffer.from(
  `HTTP/1.0 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: ${process.argv[2]!}\r\n\r\n`,
);
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.once('data', () => socket.end(ANSWER));
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
