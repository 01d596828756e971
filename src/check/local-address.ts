/** The address that oldhello connects from, as the backend will see it. */
import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import { isUnixAddress, type BackendAddress } from '../net/backend-address.js';

/** Connecting a UDP socket sends nothing. @returns undefined for a Unix socket, and where there is no route */
export function localAddress(address: BackendAddress): Promise<string | undefined> {
  if (isUnixAddress(address)) return Promise.resolve(undefined);
  const { host, port } = address;
  return new Promise((resolve) => {
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
    const end = (address: string | undefined): void => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => end(undefined));
    socket.connect(port, host, () => end(socket.address().address));
  });
}
