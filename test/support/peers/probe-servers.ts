/** Servers with TLS from the first byte that we did not write, for `oldhello probe` to look at. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface ProbeServer {
  readonly port: number;
  stop(): void;
}

/** A certificate and its key, in files of a folder that goes away with the process. */
export interface Certificate {
  readonly folder: string;
  readonly cert: string;
  readonly key: string;
  readonly pkcs12: string;
}

export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-probe-'));
  const [cert, key, pkcs12] = [join(folder, 'cert.pem'), join(folder, 'key.pem'), join(folder, 'both.p12')];
  const openssl = (...args: string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  openssl(
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=probe.example', '-days', '2'],
    ...['-keyout', key, '-out', cert],
  );
  openssl('pkcs12', '-export', '-in', cert, '-inkey', key, '-out', pkcs12, '-passout', 'pass:secret');
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return { folder, cert, key, pkcs12 };
}

/** OpenSSL's own server. @param options further ones, such as a cipher list */
export async function startOpenssl({ cert, key }: Certificate, options: string[]): Promise<ProbeServer> {
  const child = spawn(
    'openssl',
    ['s_server', '-accept', '127.0.0.1:0', '-cert', cert, '-key', key, ...options],
    {
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  return portOf(child, /^ACCEPT 127\.0\.0\.1:(\d+)/);
}

/** Go's crypto/tls, as a program that does nothing but handshakes. */
export async function startGo({ folder, cert, key }: Certificate): Promise<ProbeServer> {
  const binary = join(folder, 'server');
  writeFileSync(join(folder, 'main.go'), GO_SERVER);
  // The version of the language decides what Go's TLS does by default.
  writeFileSync(join(folder, 'go.mod'), 'module probe\n\ngo 1.18\n');
  const built = spawnSync('go', ['build', '-o', binary, '.'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' },
  });
  if (built.status !== 0) throw new Error(built.stderr);
  return portOf(spawn(binary, [cert, key], { stdio: ['ignore', 'pipe', 'ignore'] }), /^(\d+)$/);
}

/** The JDK's JSSE with everything allowed that it has. */
export function startJdk({ folder, pkcs12 }: Certificate): Promise<ProbeServer> {
  const [source, security] = [join(folder, 'TlsServer.java'), join(folder, 'security')];
  writeFileSync(source, JAVA_SERVER);
  writeFileSync(security, 'jdk.tls.disabledAlgorithms=\njdk.certpath.disabledAlgorithms=\n');
  const options = [`-Djava.security.properties=${security}`, source, pkcs12];
  return portOf(spawn('java', options, { stdio: ['ignore', 'pipe', 'ignore'] }), /^(\d+)$/);
}

/** Node's TLS. */
export async function startNode(certificate: { cert: Buffer; key: Buffer }): Promise<ProbeServer> {
  const server = createTlsServer(certificate, (socket) => socket.resume());
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, stop: () => void server.close() };
}

/** Says the same to everybody, whatever they say. */
export async function startParrot(answer: Buffer, close: boolean): Promise<ProbeServer> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => (close ? socket.end(answer) : socket.write(answer)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, stop: () => void server.close() };
}

async function portOf(child: ChildProcess, said: RegExp): Promise<ProbeServer> {
  const lines = createInterface({ input: child.stdout! });
  for await (const line of lines) {
    const port = said.exec(line)?.[1];
    if (port === undefined) continue;
    child.stdout!.resume();
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    return { port: Number(port), stop: () => void child.kill() };
  }
  throw new Error('the server ended without a port');
}

const GO_SERVER = `package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
)

func main() {
	certificate, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go func() {
			defer connection.Close()
			tls.Server(connection, &tls.Config{Certificates: []tls.Certificate{certificate}}).Handshake()
		}()
	}
}
`;

const JAVA_SERVER = `import java.io.FileInputStream;
import java.security.KeyStore;
import javax.net.ssl.*;

public class TlsServer {
  public static void main(String[] args) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(new FileInputStream(args[0]), "secret".toCharArray());
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(store, "secret".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    SSLServerSocket server = (SSLServerSocket) context.getServerSocketFactory()
        .createServerSocket(0, 50, java.net.InetAddress.getByName("127.0.0.1"));
    server.setEnabledProtocols(new String[] {"SSLv2Hello", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"});
    server.setEnabledCipherSuites(server.getSupportedCipherSuites());
    System.out.println(server.getLocalPort());
    for (;;) {
      SSLSocket socket = (SSLSocket) server.accept();
      new Thread(() -> {
        try {
          socket.startHandshake();
        } catch (Exception expected) {
          // The prober goes away in the middle of every handshake.
        } finally {
          try { socket.close(); } catch (Exception gone) { }
        }
      }).start();
    }
  }
}
`;
