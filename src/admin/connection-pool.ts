/**
 * The connections of the admin listener. At the bound a new one closes the one that has gone longest without a complete
 * request, so clients that are slow or silent cannot keep a health check out.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export function boundConnections(server: Server, max: number): void {
  /** The longest without a complete request first. */
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    if (open.size >= max) {
      const [oldest] = open;
      open.delete(oldest!);
      oldest!.destroy();
    }
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    response.once('finish', () => {
      if (open.delete(socket)) open.add(socket);
    });
  });
}
