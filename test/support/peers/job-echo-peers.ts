/** JSSE, OpenSSL 1.0.2 and tlslite-ng as peers of an echo: one process each, for all jobs. */
import type { Exchange } from '../engine-echo-server.js';
import type { EchoPeer, Handshake, Order, RunningEchoPeer } from './echo-peer.js';
import { missing, startJobClient, type EchoJob, type JobClient, type JobClientName } from './job-client.js';

type Words = Pick<EchoJob, 'protocols' | 'ciphers' | 'newest'>;

export const jsse: EchoPeer = {
  title: 'JSSE of JDK 17',
  lack: missing('jdk'),
  formats: ['record', 'sslv2'],
  switches: ['serverName', 'maxFragmentLength', 'extendedMasterSecret'],
  usual: 50_000,
  bulk: 16 * 2 ** 20,
  start: () => startJobPeer('jdk', jsseWords),
};

export const openssl102: EchoPeer = {
  title: 'OpenSSL 1.0.2',
  lack: missing('nassl'),
  formats: ['record', 'sslv2'],
  switches: ['serverName', 'fallback', 'drip'],
  usual: 50_000,
  bulk: 16 * 2 ** 20,
  start: () => startJobPeer('nassl', openssl102Words),
};

export const tlslite: EchoPeer = {
  title: 'tlslite-ng 0.8',
  lack: missing('tlslite'),
  formats: ['record'],
  switches: ['serverName', 'encryptThenMac', 'extendedMasterSecret', 'fallback', 'drip'],
  // Ciphers in Python.
  usual: 4096,
  bulk: 2 ** 14,
  start: () => startJobPeer('tlslite', tlsliteWords),
};

function startJobPeer(name: JobClientName, words: (handshake: Handshake) => Words): RunningEchoPeer {
  const clients = new Map<string, JobClient>();
  return {
    async run(server, order) {
      const { handshake, exchanges, tickets, ...switches } = order;
      server.expect(exchanges);
      const job: EchoJob = {
        kind: 'echo',
        port: server.port,
        ...words(handshake),
        rounds: exchanges.map(round).join(','),
        tickets: tickets ? 'yes' : 'no',
        ...switches,
      };
      const options = name === 'jdk' ? propertiesFor(order) : [];
      const client = clients.get(options.join()) ?? startJobClient(name, options);
      clients.set(options.join(), client);
      const answer = await client.run(job);
      return answer.ok ? undefined : `${answer.phase}: ${answer.error}`;
    },
    close() {
      for (const client of clients.values()) client.close();
    },
  };
}

/**
 * What the JDK decides once a process. Its session from an SSLv2-format hello, which has no extensions, may only be
 * resumed by a hello without extended_master_secret (RFC 7627, 5.3), as those of its age are.
 */
function propertiesFor({ handshake, extendedMasterSecret }: Order): string[] {
  const without = extendedMasterSecret === false || handshake.format === 'sslv2';
  return without ? ['-Djdk.tls.useExtendedMasterSecret=false'] : [];
}

const round = ({ size, closer }: Exchange): string => `${size}:${closer}`;

/** JSSE says SSL_ where the registry says TLS_ for what is older than TLS. */
function jsseWords({ suite, version, format }: Handshake): Words {
  const old = /RC4|3DES|_DES_/.test(suite.name) && suite.keyExchange !== 'ecdhe';
  return {
    protocols: format === 'sslv2' ? `SSLv2Hello,${version}` : version,
    ciphers: old ? suite.name.replace(/^TLS_/, 'SSL_') : suite.name,
  };
}

/** OpenSSL 1.0.2 opens in SSLv2 format when ciphers of SSL 2.0 are in its list and it may choose the version. */
function openssl102Words({ suite, version, format }: Handshake): Words {
  return format === 'sslv2'
    ? { protocols: 'SSLV23', newest: version, ciphers: `${suite.opensslName}:SSLv2` }
    : { protocols: METHODS[version], ciphers: suite.opensslName };
}

const METHODS = { SSLv3: 'SSLV3', TLSv1: 'TLSV1', 'TLSv1.1': 'TLSV1_1', 'TLSv1.2': 'TLSV1_2' } as const;

function tlsliteWords({ suite, version }: Handshake): Words {
  return { protocols: version, ciphers: suite.name };
}
