/** Which failed starts systemd may repeat: exit code 1 does, 2 does not. */
import { test } from 'tap';
import { locate } from '../../src/config/load.js';
import { UnusableValueError } from '../../src/config/config-error.js';
import { CredentialError } from '../../src/credentials/credential-error.js';
import { ListenError } from '../../src/proxy/listener/listen-error.js';
import { isTransient } from '../../src/system/transient.js';

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

function cannotListen(code: string): Error {
  const problem = new ListenError({ address: { host: '192.0.2.1', port: 25 } }, failure(code));
  return locate(new UnusableValueError('listener', 0, 'address', problem), '/etc/oldhello.toml');
}

test('a port that is taken or an address that is not there yet may be right a moment later', (t) => {
  for (const code of ['EADDRINUSE', 'EADDRNOTAVAIL', 'EMFILE', 'ENFILE', 'ENOBUFS'])
    t.ok(isTransient(cannotListen(code)), code);
  t.match(
    cannotListen('EADDRINUSE').message,
    'listener[0].address: cannot listen on 192.0.2.1:25: another program',
  );
  t.end();
});

test('a port that is not allowed, or a file that is not there, stays so', (t) => {
  t.notOk(isTransient(cannotListen('EACCES')));
  t.notOk(isTransient(new CredentialError({ key: 'key', path: '/k' }, 'x', { cause: failure('ENOENT') })));
  t.ok(isTransient(new CredentialError({ key: 'key', path: '/k' }, 'x', { cause: failure('EIO') })));
  t.end();
});
