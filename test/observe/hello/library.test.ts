/** The table of libraries against captured hellos, and against what the programs installed here send today. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { likelyLibrary } from '../../../src/observe/hello/library.js';
import { Acceptor } from '../../../src/tls/index.js';
import { capturedHellos, readHello } from '../../support/hellos.js';
import { missing } from '../../support/peers/job-client.js';
import { hasPeer } from '../../support/peers/require-peer.js';

const LIBRARIES: Readonly<Record<string, RegExp>> = {
  OpenSSL: /^OpenSSL/,
  Node: /^OpenSSL/,
  'Python ssl': /^OpenSSL 1\.1 or later$/,
  JSSE: /^JSSE/,
  GnuTLS: /^GnuTLS 3$/,
  NSS: /^NSS 3$/,
  Go: /^Go's crypto\/tls$/,
  'tlslite-ng': /^tlslite-ng$/,
};

test('no captured hello is taken for that of another library', async (t) => {
  let unknown = 0;
  for (const { client, version, options, hex } of capturedHellos()) {
    if (hex.slice(6, 10) === '0002') continue;
    const library = likelyLibrary(readHello(Buffer.from(hex, 'hex')));
    const title = `${client} ${version} ${options}: ${library}`;
    if (library === 'unknown') unknown += 1;
    else t.match(library, LIBRARIES[client], title);
    if (/default|nassl|^TLS|^tls1|^NORMAL/.test(options)) t.not(library, 'unknown', title);
    if (library === 'unknown') continue;
    const openssl = client === 'OpenSSL' ? version : /with OpenSSL (.*)/.exec(version)?.[1];
    if (openssl === undefined) continue;
    const recent = library === 'OpenSSL 1.1 or later';
    t.equal(recent, /^(?:3\.|1\.1)/.test(openssl), title);
    t.equal(library.startsWith('OpenSSL 1.0.0'), openssl.startsWith('1.0.0'), title);
  }
  t.ok(unknown < capturedHellos().length / 2, `${unknown} unknown, most of them with suites chosen by hand`);
});

test('an SSLv3 hello, which has no extensions, is recognised by the default list of OpenSSL 1.0', async (t) => {
  const found = capturedHellos()
    .filter(({ version, options }) => /1\.0\.[012]/.test(version) && /^-ssl3$|^-no_tls1$|SSLv3/.test(options))
    .map(({ version, hex }) => `${version}: ${likelyLibrary(readHello(Buffer.from(hex, 'hex')))}`);
  t.same(found.sort(), [
    '0.8.28 with OpenSSL 1.0.0m: OpenSSL 1.0.0 or 1.0.1',
    '1.0.1e: OpenSSL 1.0.1',
    '1.0.1e: OpenSSL 1.0.1',
    '1.0.2: OpenSSL 1.0.2',
  ]);
});

test('OpenSSL 0.9.8 built without SSL 2.0 is recognised by its suites', async (t) => {
  const captured = capturedHellos().find(
    ({ version, options }) => version === '0.9.8y' && options === '(default)',
  )!;
  const { sslv2 } = readHello(Buffer.from(captured.hex, 'hex'));
  const suites = sslv2!.cipherSpecs.filter((spec) => spec <= 0xffff);
  t.equal(
    likelyLibrary(readHello({ format: 'sslv2', version: 0x0301, suites })),
    'OpenSSL 0.9.8m or later 0.9.8',
  );
});

const RECENT_OPENSSL = /^OpenSSL 1\.1 or later$/;

interface Peer {
  readonly library: RegExp;
  readonly lack: string | undefined;
  readonly command: (port: number) => readonly [string, ...string[]];
}

const here = (...command: readonly [string, ...string[]]): string | undefined =>
  spawnSync(command[0], command.slice(1), { stdio: 'ignore' }).error === undefined
    ? undefined
    : `needs ${command[0]}`;
const folder = mkdtempSync(join(tmpdir(), 'oldhello-library-'));

const JAVA = `import javax.net.ssl.*;
public class Hello {
  public static void main(String[] args) throws Exception {
    ((SSLSocket) SSLSocketFactory.getDefault().createSocket("127.0.0.1", Integer.parseInt(args[0]))).startHandshake();
  }
}
`;
const GO = `package main

import (
	"crypto/tls"
	"os"
)

func main() {
	tls.Dial("tcp", "127.0.0.1:"+os.Args[1], &tls.Config{InsecureSkipVerify: true})
}
`;

const PEERS: Readonly<Record<string, Peer>> = {
  openssl: {
    library: RECENT_OPENSSL,
    lack: here('openssl', 'version'),
    command: (port) => ['openssl', 's_client', '-connect', `127.0.0.1:${port}`],
  },
  gnutls: {
    library: LIBRARIES['GnuTLS']!,
    lack: here('gnutls-cli', '--version'),
    command: (port) => ['gnutls-cli', '--insecure', '-p', String(port), '127.0.0.1'],
  },
  nss: {
    library: LIBRARIES['NSS']!,
    lack: here('tstclnt'),
    command: (port) => ['tstclnt', '-D', '-o', '-h', '127.0.0.1', '-p', String(port)],
  },
  python: {
    library: LIBRARIES['Python ssl']!,
    lack: here('python3', '--version'),
    command: (port) => [
      'python3',
      '-c',
      `import socket, ssl; ssl._create_unverified_context().wrap_socket(socket.create_connection(('127.0.0.1', ${port})))`,
    ],
  },
  node: {
    library: RECENT_OPENSSL,
    lack: undefined,
    command: (port) => [
      process.execPath,
      '-e',
      `require('tls').connect({ port: ${port}, host: '127.0.0.1' })`,
    ],
  },
  jdk: {
    library: LIBRARIES['JSSE']!,
    lack: missing('jdk'),
    command(port) {
      const source = join(folder, 'Hello.java');
      writeFileSync(source, JAVA);
      return ['java', source, String(port)];
    },
  },
  go: {
    // Versions before 1.22 or so have another order, of which there is no evidence here.
    library: /^(?:Go's crypto\/tls|unknown)$/,
    lack: here('go', 'version'),
    command(port) {
      const source = join(folder, 'hello.go');
      writeFileSync(source, GO);
      return ['go', 'run', source, String(port)];
    },
  },
};

for (const [name, { library, lack, command }] of Object.entries(PEERS)) {
  test(`the ${name} installed here is recognised`, async (t) => {
    if (!hasPeer(t, name, lack)) return;
    t.match(likelyLibrary(readHello(await capture(command))), library);
  });
}

/** The hello that a client opens its first connection with. It never gets an answer. */
function capture(command: Peer['command']): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      const acceptor = new Acceptor();
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        const accepted = acceptor.push(chunk);
        if (accepted === undefined) return;
        resolve(accepted.bytes);
        socket.destroy();
        server.close();
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const [program, ...args] = command((server.address() as AddressInfo).port);
      const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      child.once('close', () => {
        server.close();
        reject(new Error(`${program} sent no hello: ${said}`));
      });
    });
  });
}
