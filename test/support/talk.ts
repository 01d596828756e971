/** A client in clear text that sends one command after the other. */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** Sends each command when the one before is answered. @returns the greeting and the replies, their lines joined by \n */
export async function talk(
  port: number,
  commands: readonly string[],
  localAddress?: string,
): Promise<string[]> {
  const socket = connect({ port, host: '127.0.0.1', ...(localAddress !== undefined && { localAddress }) });
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const replies: string[] = [];
  for (const command of ['', ...commands]) {
    if (command !== '') socket.write(`${command}\r\n`);
    const reply: string[] = [];
    do reply.push(((await lines.next()) as { value?: string }).value ?? '000 closed');
    while (reply.at(-1)![3] === '-');
    replies.push(reply.join('\n'));
  }
  socket.destroy();
  return replies;
}
