/** Checks combinations of values that are each valid alone. */
import { isIP } from 'node:net';
import { backendAddressText, isUnixAddress, type BackendAddress } from '../net/backend-address.js';
import { hostAndPort } from '../net/endpoint.js';
import type { Problem } from './config-error.js';
import { didYouMean } from './did-you-mean.js';
import { listenAddresses } from './listen-addresses.js';
import { modeConflicts, type At } from './mode-conflicts.js';
import { isPrivateAddress, relayRisk } from './private-networks.js';
import type { Config } from './schema.js';
import type { TomlPositions } from './toml-positions.js';

export function crossCheck(config: Config, positions: TomlPositions): Problem[] {
  const at: At = (table, index, key) => {
    const path = `${table}[${index}].${key}`;
    return { line: positions.lineOf(path), key: path };
  };
  return [
    ...someOf(config),
    ...duplicates('listener', config.listeners, at),
    ...duplicates('backend', config.backends, at),
    ...sharedAddresses(config, positions),
    ...danglingBackends(config, at),
    ...repeatedAddresses(config, at),
    ...relayRisks(config, at),
    ...modeConflicts(config, at, positions),
    ...incompleteCertificates(config, at),
    ...unreachablePolicies(config, at),
    ...unusableStore(config, positions),
    ...exposedAdmin(config, positions),
  ];
}

function someOf({ listeners, backends }: Config): Problem[] {
  const problems: Problem[] = [];
  if (listeners.length === 0) problems.push({ message: 'there is no [[listener]]; add one' });
  if (backends.length === 0)
    problems.push({ message: 'there is no [[backend]]; add one for your mail server' });
  return problems;
}

function duplicates(table: string, named: readonly { readonly name: string }[], at: At): Problem[] {
  return named.flatMap(({ name }, index) =>
    named.findIndex((other) => other.name === name) < index
      ? [{ ...at(table, index, 'name'), message: `there is another ${table} with the name "${name}"` }]
      : [],
  );
}

/** The system would refuse the second socket on the same address and port at the start. */
function sharedAddresses(config: Config, positions: TomlPositions): Problem[] {
  const all = listenAddresses(config);
  return all.flatMap(({ key, address: { host, port } }, index) => {
    const other = all.slice(0, index).find(({ address }) => address.host === host && address.port === port);
    if (other === undefined || port === 0) return [];
    const message = `${hostAndPort(host, port)} is already the address of ${other.user}; give each its own`;
    return [{ line: positions.lineOf(key), key, message }];
  });
}

function danglingBackends({ listeners, backends }: Config, at: At): Problem[] {
  const names = backends.map(({ name }) => name);
  return listeners.flatMap(({ backend }, index) => {
    if (names.includes(backend)) return [];
    const meant = didYouMean(backend, names);
    const hint = meant === undefined ? `use one of ${names.join(', ')}` : `did you mean "${meant}"?`;
    return [{ ...at('listener', index, 'backend'), message: `there is no backend "${backend}"; ${hint}` }];
  });
}

function repeatedAddresses({ backends }: Config, at: At): Problem[] {
  return backends.flatMap(({ address }, index) => {
    const texts = address.map(backendAddressText);
    const repeated = texts.find((one, position) => texts.indexOf(one) < position);
    if (repeated === undefined) return [];
    return [{ ...at('backend', index, 'address'), message: `${repeated} stands there twice` }];
  });
}

/** Most mail servers relay for loopback and private addresses, and behind a proxy every client has one. */
function relayRisks({ backends }: Config, at: At): Problem[] {
  return backends.flatMap(({ identity, address, acknowledgeRelayRisk }, index) => {
    if (identity !== 'none' || acknowledgeRelayRisk) return [];
    const near = address.find(isNearby);
    if (near === undefined) return [];
    const message = relayRisk(isUnixAddress(near) ? backendAddressText(near) : near.host);
    return [{ ...at('backend', index, 'identity'), message }];
  });
}

/** To a mail server, who comes by its Unix socket is localhost. */
function isNearby(address: BackendAddress): boolean {
  return isUnixAddress(address) || address.host === 'localhost' || isPrivateAddress(address.host);
}

function unusableStore({ sessionStore: { url, timeout }, tls }: Config, positions: TomlPositions): Problem[] {
  const problem = (key: string, message: string): Problem => {
    return { line: positions.lineOf(`session-store.${key}`), key: `session-store.${key}`, message };
  };
  return [
    ...(url !== undefined && tls.ticketKeyFile === undefined
      ? [problem('url', 'needs ticket-key-file in [tls], because its keys also encrypt stored sessions')]
      : []),
    ...(timeout > MAX_STORE_TIMEOUT_MS
      ? [
          problem(
            'timeout',
            `found ${timeout} ms; allowed are at most ${MAX_STORE_TIMEOUT_MS} ms, because a full handshake is faster`,
          ),
        ]
      : []),
  ];
}

/** The status page has no login, and shows who sends mail here. */
function exposedAdmin({ admin }: Config, positions: TomlPositions): Problem[] {
  if (admin.address === undefined || admin.acknowledgeExposure || isLoopback(admin.address.host)) return [];
  return [
    {
      line: positions.lineOf('admin.address'),
      key: 'admin.address',
      message:
        `${admin.address.host} is not a loopback address, so others on the network could see who sends mail here. ` +
        'Use "127.0.0.1:9125" or "[::1]:9125", or, if a firewall restricts access, set acknowledge-exposure = true',
    },
  ];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function incompleteCertificates({ certificates }: Config, at: At): Problem[] {
  return certificates.flatMap(({ chain, key, pkcs12 }, index) => {
    const problem = (name: string, message: string): Problem[] => [
      { ...at('certificate', index, name), message },
    ];
    if (pkcs12 !== undefined) {
      return chain === undefined && key === undefined
        ? []
        : problem('pkcs12', 'set either pkcs12, or chain and key');
    }
    if (chain === undefined) return problem('chain', 'is missing; set chain and key, or pkcs12');
    if (key !== undefined) return [];
    const isPkcs12 = /\.(?:p12|pfx)$/i.test(chain);
    return problem(
      'key',
      isPkcs12
        ? `is missing; a PKCS#12 file holds both: write pkcs12 = "${chain}" instead of chain`
        : 'is missing; set it to the private key of this chain',
    );
  });
}

function unreachablePolicies({ policies }: Config, at: At): Problem[] {
  return policies.flatMap(({ networks, networksFile }, index) =>
    networks.length === 0 && networksFile === undefined && index < policies.length - 1
      ? [
          {
            ...at('policy', index, 'networks'),
            message:
              'an entry without networks matches every client and hides the entries after it; put it last',
          },
        ]
      : [],
  );
}

/** Worker processes wait for the one that asks the store a little longer. */
const MAX_STORE_TIMEOUT_MS = 200;
