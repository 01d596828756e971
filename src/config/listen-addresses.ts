/** Every address that a configuration listens on. */
import type { HostAndPort } from '../net/endpoint.js';
import type { Config } from './schema.js';

export interface ListenAddress {
  /** Where it stands in the configuration, such as `listener[0].address`. */
  readonly key: string;
  readonly address: HostAndPort;
  /** Such as `listener "smtp"`. */
  readonly user: string;
}

export function listenAddresses({ listeners, admin }: Config): ListenAddress[] {
  return [
    ...listeners.map(({ address, name }, index) => ({
      key: `listener[${index}].address`,
      address,
      user: `listener "${name}"`,
    })),
    ...(admin.address === undefined
      ? []
      : [{ key: 'admin.address', address: admin.address, user: 'the status page' }]),
  ];
}
