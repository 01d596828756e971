/** Tables and keys that are valid but have no effect. */
import { isIPv4 } from 'node:net';
import { listenAddresses } from '../config/listen-addresses.js';
import type { Config } from '../config/schema.js';
import { hostAndPort } from '../net/endpoint.js';
import type { Finding } from './finding.js';

/** @param isWritten whether the file has a path such as `admin` or `limits.idle-timeout` */
export function checkIneffective(config: Config, isWritten: (path: string) => boolean): Finding[] {
  return [
    ...tablesWithoutTheirKey(config, isWritten),
    ...unusedBackends(config),
    ...policiesWithoutEffect(config, isWritten),
    ...coveredAddresses(config),
  ];
}

function tablesWithoutTheirKey(
  { admin, sessionStore }: Config,
  isWritten: (path: string) => boolean,
): Finding[] {
  return [
    ...(isWritten('admin') && admin.address === undefined
      ? [
          note('admin', 'without address, neither the status page nor the metrics are served', [
            'set address = "127.0.0.1:9125" in [admin], or remove the table',
          ]),
        ]
      : []),
    ...(isWritten('session-store') && sessionStore.url === undefined
      ? [
          note('session-store', 'without url, no session store is used', [
            'set url in [session-store], or remove the table',
          ]),
        ]
      : []),
  ];
}

function unusedBackends({ backends, listeners }: Config): Finding[] {
  return backends.flatMap(({ name }, index) =>
    listeners.some(({ backend }) => backend === name)
      ? []
      : [
          note(`backend[${index}].name`, `no listener has backend = "${name}", so it gets no mail`, [
            'name it in a [[listener]], or remove the table',
          ]),
        ],
  );
}

function policiesWithoutEffect({ policies }: Config, isWritten: (path: string) => boolean): Finding[] {
  return policies.flatMap(({ refuse }, index) => {
    const path = `policy[${index}]`;
    const written = POLICY_EFFECTS.filter((key) => isWritten(`${path}.${key}`));
    if (refuse) {
      const useless = written.filter((key) => key !== 'refuse');
      return useless.length === 0
        ? []
        : [note(`${path}.${useless[0]}`, `refuse = true leaves ${useless.join(', ')} without effect`)];
    }
    // An entry before other entries is an exception from them.
    if (written.length > 0 || index < policies.length - 1) return [];
    return [note(path, 'it changes nothing for its networks', [`set one of ${POLICY_EFFECTS.join(', ')}`])];
  });
}

/** Only systemd can bind both addresses, with BindIPv6Only= or ReusePort= in the socket units. */
function coveredAddresses(config: Config): Finding[] {
  const all = listenAddresses(config);
  return all.flatMap(({ key, address, user }) => {
    const wide = all.find(
      (other) => other.address.port === address.port && covers(other.address.host, address.host),
    );
    if (wide === undefined || address.port === 0) return [];
    const message =
      `${hostAndPort(address.host, address.port)} of ${user} is part of ` +
      `${hostAndPort(wide.address.host, address.port)} of ${wide.user}, so the second of them cannot be bound`;
    return [note(key, message, ['give each its own addresses, or another port'])];
  });
}

/** `::` also covers IPv4. The address family of a host name is not known here. */
function covers(wide: string, host: string): boolean {
  if (wide === host) return false;
  return wide === '::' || (wide === '0.0.0.0' && isIPv4(host));
}

function note(key: string, message: string, advice: readonly string[] = []): Finding {
  return { check: 'configuration', subject: 'file', verdict: 'warning', message, advice, key };
}

const POLICY_EFFECTS = ['refuse', 'profile', 'sslv2-hello', 'offer-starttls', 'max-connections'] as const;
