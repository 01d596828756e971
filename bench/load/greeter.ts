/** The backend of the handshake benchmarks: greets and waits for the other side to close. Prints its port. */
import { createServer, type AddressInfo } from 'node:net';

const GREETING = Buffer.from('220 mx.example ESMTP\r\n');
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.resume();
  socket.write(GREETING);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
