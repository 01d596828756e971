/** The library that speaks to Redis and Valkey, with our options. */
import { createClient, RESP_TYPES } from '@redis/client';
import type { StoreUrl } from '../../config/formats.js';

export interface RedisSettings {
  readonly place: StoreUrl;
  readonly password: string | undefined;
  readonly keyPrefix: string;
  /** Milliseconds until a lookup gives up. */
  readonly timeout: number;
}

export type RedisClient = ReturnType<typeof newRedisClient>;

/** @param connectTimeout milliseconds */
export function newRedisClient({ place, password }: RedisSettings, connectTimeout: number) {
  const { host, port, database, username } = place;
  return createClient({
    // All versions of Redis and Valkey support it.
    RESP: 2,
    maintNotifications: 'disabled',
    disableClientInfo: true,
    disableOfflineQueue: true,
    database,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    socket: {
      host,
      port,
      ...(place.tls && { tls: true as const }),
      connectTimeout,
      reconnectStrategy: false,
    },
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
}
