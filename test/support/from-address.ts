/** Lets a client that cannot choose its own address come from another one of loopback. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';

export interface Detour {
  readonly port: number;
  close(): void;
}

/** Whoever connects to the detour is connected on to `port` from `address`. */
export async function comeFrom(address: string, port: number): Promise<Detour> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const onward = connect({ port, host: '127.0.0.1', localAddress: address, allowHalfOpen: true });
    client.pipe(onward).pipe(client);
    client.on('error', () => onward.destroy());
    onward.on('error', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}
