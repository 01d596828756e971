/**
 * Sends back what it gets, over SSLv3 to TLS 1.2, also after an SSLv2-format hello.
 * Usage: node examples/echo-server.js CHAIN.pem KEY.pem [PORT]
 */
import { createPrivateKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import * as oldhello from 'oldhello/tls';

const [chainFile, keyFile, port = '0'] = process.argv.slice(2);
const key = createPrivateKey(readFileSync(keyFile));
const sessions = new oldhello.SessionCache(1000, 3_600_000, () => performance.now());
const parameters = {
  ...oldhello.PRESETS.ancient,
  credentials: [oldhello.credentialFrom(oldhello.certificatesFromPem(readFileSync(chainFile, 'latin1')))],
  random: randomBytes,
};

const server = createServer((socket) => {
  const connection = new oldhello.ServerConnection(parameters, {
    transmit: (bytes) => socket.write(bytes),
    deliver: (plaintext) => connection.send(plaintext),
    operate: (operation) =>
      connection.complete(
        operation.kind === 'find_session'
          ? sessions.find(operation.sessionId)
          : oldhello.performPrivateKeyOperation(operation, key),
      ),
    established: ({ version, suite, resumed }) =>
      console.log(
        `${connection.clientHello?.format} ${oldhello.versionName(version)} ${suite.opensslName} ${resumed}`,
      ),
    saveSession: (id, session) => sessions.save(id, session),
    forgetSession: (id) => sessions.forget(id),
    ended: ({ kind, finalBytes }) => socket.end(finalBytes, () => console.log(`ended ${kind}`)),
  });
  socket.on('data', (bytes) => connection.receive(bytes));
  socket.on('end', () => connection.abandon());
  socket.on('error', () => connection.abandon());
});

server.listen(Number(port), '127.0.0.1', () => console.log(`listening ${server.address()?.port}`));
