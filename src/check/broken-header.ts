/** Whether a backend reads the PROXY header that it gets. */
import { connect } from 'node:net';
import type { BackendTarget } from '../proxy/backend/target.js';

/** A backend that reads a PROXY header sends no greeting after a damaged one (PROXY protocol, 2). */
export function refusesBrokenHeader(
  { address, backend }: BackendTarget,
  timeoutMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: timeoutMs });
    const end = (refused: boolean): void => {
      socket.destroy();
      resolve(refused);
    };
    socket.once('connect', () => socket.write(backend.identity === 'proxy-v1' ? BROKEN_V1 : BROKEN_V2));
    socket.once('data', (bytes: Buffer) => end(!bytes.toString('latin1').startsWith('220')));
    socket.once('close', () => end(true));
    socket.once('timeout', () => end(true));
    socket.on('error', () => end(true));
  });
}

const BROKEN_V1 = Buffer.from('PROXY TCP4 broken\r\n');
/** A version that does not exist. */
const BROKEN_V2 = Buffer.from('0d0a0d0a000d0a515549540a3111000c000000000000000000000000', 'hex');
