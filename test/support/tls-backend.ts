/** A mail server with TLS of its own and none of the old: the smtp-server library, with PROXY headers in version 1. */
import { EventEmitter, once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { selfSignedCredential } from '../../src/credentials/credentials.js';

export interface AcceptedClient {
  readonly from: string;
  readonly client: string;
  readonly helo: string;
  /** "TLSv1.3" …, false for clear text. */
  readonly tls: string | false;
  readonly user: string | undefined;
}

export interface TlsBackend {
  readonly port: number;
  readonly certificate: X509Certificate;
  /** PEM. */
  readonly certificateFile: string;
  next(): Promise<AcceptedClient>;
  close(): void;
}

/** @param tls `starttls` offers AUTH only inside TLS; `none` has neither */
export async function startTlsBackend(tls: 'none' | 'starttls' | 'implicit'): Promise<TlsBackend> {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-backend-'));
  const { keyPem, chainPem } = selfSignedCredential(folder, 'backend.example');
  const arrivals: AcceptedClient[] = [];
  const arrived = new EventEmitter();
  const server = new SMTPServer({
    name: 'backend.example',
    secure: tls === 'implicit',
    key: keyPem,
    cert: chainPem,
    useProxy: true,
    authOptional: true,
    disabledCommands: tls === 'none' ? ['STARTTLS', 'AUTH'] : [],
    disableReverseLookup: true,
    logger: false,
    onAuth: ({ username }, _, done) => done(null, { user: username }),
    onData: (stream, session, done) => {
      stream.resume();
      stream.on('end', () => {
        const { mailFrom } = session.envelope;
        const { tlsOptions } = session as unknown as { tlsOptions: false | { version?: string } };
        arrivals.push({
          from: mailFrom === false ? '' : mailFrom.address,
          client: session.remoteAddress,
          helo: session.hostNameAppearsAs,
          tls: session.secure ? (tlsOptions && tlsOptions.version) || 'unknown' : false,
          user: session.user as string | undefined,
        });
        arrived.emit('message');
        done();
      });
    },
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  let asked = 0;
  return {
    port: (server.server.address() as AddressInfo).port,
    certificate: new X509Certificate(chainPem),
    certificateFile: join(folder, 'self-signed.crt'),
    async next() {
      const index = asked++;
      while (arrivals.length <= index) await once(arrived, 'message');
      return arrivals[index]!;
    },
    close: () => server.close(() => undefined),
  };
}
