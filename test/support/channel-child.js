/** Takes connections from its parent, and says on each what came with it and what comes on it. */
import { Socket } from 'node:net';

process.on('message', ({ word }, handle) => {
  const socket = handle instanceof Socket ? handle : new Socket({ handle, allowHalfOpen: true });
  socket.allowHalfOpen = true;
  socket.write(`${word} `);
  socket.on('data', (bytes) => socket.end(bytes));
});
