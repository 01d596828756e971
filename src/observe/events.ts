/** Every log event: its level, its sentence and its fields. */
import {
  group,
  integer,
  maybe,
  number,
  numbers,
  oneOf,
  peerText,
  text,
  texts,
  time,
  type Fields,
  type FieldsOf,
} from './fields.js';
import { CONNECTION_FIELDS } from './connection-event.js';

/** In ascending order. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

export interface EventDeclaration {
  readonly level: Level;
  readonly meaning: string;
  readonly fields: Fields;
}

const { connection, listener, client } = CONNECTION_FIELDS;

export const LOG_EVENTS = {
  started: {
    level: 'info',
    meaning: 'oldhello is up',
    fields: {
      version: text('version of oldhello'),
      node: text('version of Node'),
      pid: integer('process id', 'number'),
    },
  },
  listening: {
    level: 'info',
    meaning: 'listening',
    fields: {
      listener: text('name of the listener'),
      address: text('IPv4 or IPv6 address'),
      port: integer('port', 'number'),
      mode: oneOf(['starttls', 'implicit', 'tcp'], 'mode of the listener'),
      backend: text('name of the backend that it passes connections to'),
    },
  },
  listening_ended: {
    level: 'info',
    meaning: 'no longer listening; open connections stay',
    fields: {
      listener: text('name of the listener'),
      address: text('IPv4 or IPv6 address'),
      port: integer('port', 'number'),
    },
  },
  admin_listening: {
    level: 'info',
    meaning: 'serving the status page and metrics',
    fields: { address: text('IPv4 or IPv6 address'), port: integer('port', 'number') },
  },
  configuration: {
    level: 'debug',
    meaning: 'a configuration takes effect; its certificates follow',
    fields: {
      limits: numbers('by configuration key; durations in milliseconds, sizes in bytes'),
      backends: texts('name and address of each backend, once for each address'),
    },
  },
  connection_opened: {
    level: 'debug',
    meaning: 'a client connected',
    fields: { connection, listener, client, pid: integer('process that serves it', 'number') },
  },
  connection_closed: { level: 'info', meaning: 'a client connection ended', fields: CONNECTION_FIELDS },
  delivered: {
    level: 'info',
    meaning: 'the sink of the demo accepted a message',
    fields: {
      from: peerText('envelope sender'),
      to: texts('envelope recipients'),
      size: integer('size of the message', 'bytes'),
      sha256: text('SHA-256 of the message, in hex'),
      helo: peerText('host name that the client sent in EHLO or HELO'),
      client: maybe(text('address of the client')),
      connection: maybe(text('id of the connection')),
      hello: maybe(text('format of its ClientHello')),
      tls: maybe(
        group('TLS of the connection; absent without TLS', {
          version: maybe(text('version of TLS')),
          cipher: maybe(text("OpenSSL's name of the cipher suite")),
          signatureAlgorithm: maybe(text('of the certificate that the client was shown')),
          keyAlgorithm: maybe(text('of the certificate that the client was shown')),
        }),
      ),
    },
  },
  certificate: {
    level: 'info',
    meaning: 'using a certificate',
    fields: {
      source: text('the file it comes from'),
      subject: text('distinguished name'),
      issuer: text('distinguished name of the issuer'),
      keyAlgorithm: text('algorithm and length of the key, such as "RSA2048"'),
      signatureAlgorithm: text('algorithm of its signature, such as "RSA-SHA256"'),
      use: oneOf(['all', 'legacy', 'modern'], 'clients that get it'),
      notBefore: time('start of its validity'),
      notAfter: time('end of its validity'),
      daysLeft: integer('until then; negative after it', 'days'),
    },
  },
  certificate_expires: {
    level: 'warn',
    meaning: 'a certificate expires soon; find out why it was not renewed',
    fields: {
      source: text('the file it comes from'),
      subject: text('distinguished name'),
      notAfter: time('end of its validity'),
      daysLeft: integer('until then', 'days'),
    },
  },
  certificate_expired: {
    level: 'error',
    meaning: 'a certificate has expired; it stays in use, but clients that verify it disconnect',
    fields: {
      source: text('the file it comes from'),
      subject: text('distinguished name'),
      notAfter: time('end of its validity'),
      daysLeft: integer('until then; negative', 'days'),
    },
  },
  certificate_not_yet_valid: {
    level: 'error',
    meaning: 'a certificate is not valid yet; check the clock of this machine',
    fields: {
      source: text('the file it comes from'),
      subject: text('distinguished name'),
      notBefore: time('start of its validity'),
    },
  },
  certificate_chain_mended: {
    level: 'warn',
    meaning: 'a certificate chain had a defect and was repaired in memory',
    fields: { source: text('the file it comes from'), repair: text('what was repaired') },
  },
  certificate_engine_only: {
    level: 'info',
    meaning:
      'Node\'s own TLS rejects this certificate, so only clients of the engine get it; set use = "legacy" to confirm this',
    fields: { source: text('the file it comes from'), reason: text('error of OpenSSL') },
  },
  secret_exposed: {
    level: 'warn',
    meaning: 'other users can read or change a file with a private key or passphrase',
    fields: {
      file: text('the file'),
      mode: text('its permissions, in the format of chmod'),
      remedy: text('a command that removes the excess permissions'),
    },
  },
  ticket_keys: {
    level: 'info',
    meaning: 'session tickets now use the keys of this file',
    fields: {
      file: text('file with the keys'),
      keys: integer('number of keys; the first one encrypts, all of them decrypt', 'number'),
    },
  },
  ticket_keys_failed: {
    level: 'error',
    meaning: 'the file with the keys of session tickets cannot be used; the previous keys stay in use',
    fields: { file: text('file with the keys'), problem: text('what is wrong, and what to do') },
  },
  session_store_up: {
    level: 'info',
    meaning: 'the session store is reachable',
    fields: { store: text('its host and port') },
  },
  session_store_down: {
    level: 'warn',
    meaning:
      'the session store is not reachable; until it is, clients that come from another machine do a full handshake',
    fields: { store: text('its host and port'), problem: peerText('the first error') },
  },
  session_store_unreadable: {
    level: 'warn',
    meaning:
      'a stored session was encrypted with an unknown key and is ignored; use the same ticket-key-file on all machines',
    fields: {},
  },
  backend_connection: {
    level: 'trace',
    meaning: 'a connection to a backend succeeded or failed',
    fields: {
      backend: text('name of the backend'),
      address: text('its address, as configured'),
      duration: number('until success or failure', 'milliseconds'),
      failure: maybe(text('why it failed, as in `reason` of connection_closed; absent on success')),
    },
  },
  backend_health: {
    level: 'debug',
    meaning: 'a health check of one address of a backend is complete',
    fields: {
      backend: text('name of the backend'),
      address: text('its address, as configured'),
      failure: maybe(text('why it is not ready for mail; absent if it is ready')),
    },
  },
  first_session_live: {
    level: 'info',
    meaning:
      'clients of a backend get a session with it from the first byte for a while, as with first-session = "live"',
    fields: {
      backend: text('name of the backend'),
      reason: text('what it does that cannot be learnt'),
      minutes: number('for how long', 'minutes'),
    },
  },
  backend_down: {
    level: 'error',
    meaning: 'one address of a backend is down',
    fields: {
      backend: text('name of the backend'),
      address: text('its address, as configured'),
      reason: text('why'),
      left: integer('number of its addresses that are not down', 'number'),
    },
  },
  backend_up: {
    level: 'info',
    meaning: 'one address of a backend is up again',
    fields: {
      backend: text('name of the backend'),
      address: text('its address, as configured'),
      down: number('how long it was down', 'seconds'),
    },
  },
  starttls_suppressed: {
    level: 'warn',
    meaning:
      'a client repeats a handshake that cannot succeed, so its address is not offered STARTTLS for a while',
    fields: {
      address: text('address of the client'),
      failures: integer('failed handshakes in a row', 'number'),
      fingerprint: text('hash of the fingerprint of its hello, as in `connection_closed`'),
      reason: text('why the last handshake failed: the reason or the alert in its `connection_closed` line'),
      minutes: number('duration of the suppression', 'minutes'),
    },
  },
  process_sample: {
    level: 'trace',
    meaning: 'how busy a process is',
    fields: {
      pid: integer('process id', 'number'),
      delayMedian: number('delay of timers, median', 'milliseconds'),
      delay99: number('delay of timers, 99th percentile', 'milliseconds'),
      delayMax: number('delay of timers, maximum', 'milliseconds'),
      memory: integer('resident', 'bytes'),
      cpu: number('processor time since its start', 'seconds'),
    },
  },
  reloaded: {
    level: 'info',
    meaning: 'configuration and certificates were reloaded, for new connections',
    fields: { file: text('file that was read') },
  },
  restart_needed: {
    level: 'warn',
    meaning: 'some of the changed keys need a restart; until then their old values apply',
    fields: { file: text('file that was read'), keys: texts('keys that were changed') },
  },
  reload_failed: {
    level: 'error',
    meaning: 'the reload failed; the previous configuration stays in use',
    fields: {
      file: text('file that was read'),
      problems: texts('problems, each with its file, line and key'),
    },
  },
  worker_lost: {
    level: 'error',
    meaning: 'a worker process died with its connections, or could not be started',
    fields: {
      pid: integer('process id, 0 for one that could not be started', 'number'),
      how: text('the signal, the exit code, or why it could not be started'),
      connections: integer('connections that it had', 'number'),
      restart: number('until another worker is started', 'milliseconds'),
    },
  },
  privileges: {
    level: 'info',
    meaning: 'the user and the capabilities of the process',
    fields: {
      user: text('user of the process'),
      capabilities: texts('capabilities of the process'),
    },
  },
  running_as_root: {
    level: 'warn',
    meaning:
      'oldhello runs as root, which is not necessary; start it as an ordinary user with CAP_NET_BIND_SERVICE (docs/operation.md)',
    fields: {},
  },
  descriptors_short: {
    level: 'warn',
    meaning:
      'the limit on open files allows fewer connections than max-connections; raise LimitNOFILE= (ulimit -n)',
    fields: {
      limit: integer('limit on open files', 'number'),
      connections: integer('connections that the limit allows', 'number'),
    },
  },
  descriptors_exhausted: {
    level: 'error',
    meaning:
      'no file descriptor is left, so the system closes new connections without an answer; raise LimitNOFILE= (ulimit -n)',
    fields: {
      pid: integer('process id', 'number'),
      error: oneOf(['EMFILE', 'ENFILE'], 'the limit of the process, or that of the machine'),
      limit: maybe(integer('open files of this process', 'number')),
    },
  },
  notify_failed: {
    level: 'error',
    meaning: 'no state could be sent to systemd; check that systemd-notify is installed',
    fields: { error: text('error of the system') },
  },
  repeated: {
    level: 'warn',
    meaning:
      'more connections of one network that ended the same way, which were not logged one by one; level info where they did not fail',
    fields: {
      network: text('network of the clients, /24 or /64'),
      outcome: CONNECTION_FIELDS.outcome,
      reason: CONNECTION_FIELDS.reason,
      count: integer('number of connections that were not logged', 'number'),
      seconds: integer('time in which they came', 'seconds'),
    },
  },
  log_reopen_failed: {
    level: 'error',
    meaning: 'the log file cannot be opened again; the log continues in the file that was open',
    fields: { file: text('log file'), error: text('error of the system') },
  },
  log_dropped: {
    level: 'warn',
    meaning: 'lines of this log are missing here, because they could not be written in time',
    fields: { lines: integer('number of missing lines', 'number') },
  },
  stopping: {
    level: 'info',
    meaning: 'stopping',
    fields: { signal: text('signal that stopped it'), connections: integer('open connections', 'number') },
  },
  stopped: { level: 'info', meaning: 'stopped', fields: {} },
  listener_error: {
    level: 'error',
    meaning: 'a listening socket reported an error',
    fields: { listener: text('name of the listener'), error: text('error of the system') },
  },
  internal_error: {
    level: 'error',
    meaning: 'a defect of oldhello itself; please report it',
    fields: { error: text('the error, for developers') },
  },
} as const satisfies Record<string, EventDeclaration>;

export type LogEvent = keyof typeof LOG_EVENTS;

export type EventFields<E extends LogEvent> = FieldsOf<(typeof LOG_EVENTS)[E]['fields']>;

/** One event as it happened. */
export type LogEntry = {
  [E in LogEvent]: { readonly event: E; readonly fields: EventFields<E>; readonly level: Level };
}[LogEvent];
