/** Every event that is reported: its usual level, what it says, and its fields. */
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
      version: text('of oldhello'),
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
    meaning: 'no longer listening; who is connected stays',
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
    fields: { limits: numbers('by configuration key; durations in milliseconds, sizes in bytes') },
  },
  connection_opened: {
    level: 'debug',
    meaning: 'a client connected',
    fields: { connection, listener, client, pid: integer('process that serves it', 'number') },
  },
  connection_closed: { level: 'info', meaning: 'a client connection ended', fields: CONNECTION_FIELDS },
  delivered: {
    level: 'info',
    meaning: 'the embedded sink took a message',
    fields: {
      from: peerText('envelope sender'),
      to: texts('envelope recipients'),
      size: integer('of the message', 'bytes'),
      sha256: text('of the message, in hex'),
      helo: peerText('what the client calls itself'),
      client: maybe(text('its address')),
      connection: maybe(text('id of the connection')),
      hello: maybe(text('format of its ClientHello')),
      tls: maybe(
        group('how it was protected; absent: not at all', {
          version: maybe(text('of TLS')),
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
      issuer: text('distinguished name of who signed it'),
      keyAlgorithm: text('with the length of the key, such as "RSA2048"'),
      signatureAlgorithm: text('such as "RSA-SHA256"'),
      use: oneOf(['all', 'legacy', 'modern'], 'which clients are shown it'),
      notBefore: time('when it begins to be valid'),
      notAfter: time('when it ceases to be valid'),
      daysLeft: integer('until then; negative when it is over', 'days'),
    },
  },
  certificate_expires: {
    level: 'warn',
    meaning: 'a certificate expires soon; see why it was not renewed',
    fields: {
      source: text('the file it comes from'),
      subject: text('distinguished name'),
      notAfter: time('when it ceases to be valid'),
      daysLeft: integer('until then', 'days'),
    },
  },
  certificate_expired: {
    level: 'error',
    meaning: 'a certificate has expired; it is shown all the same, and clients that verify it go away',
    fields: {
      source: text('the file it comes from'),
      subject: text('distinguished name'),
      notAfter: time('when it ceased to be valid'),
      daysLeft: integer('until then; negative, for it is over', 'days'),
    },
  },
  certificate_not_yet_valid: {
    level: 'error',
    meaning: 'a certificate is not valid yet; is the clock right?',
    fields: {
      source: text('the file it comes from'),
      subject: text('distinguished name'),
      notBefore: time('when it begins to be valid'),
    },
  },
  certificate_chain_mended: {
    level: 'warn',
    meaning: 'a chain of certificates was not as clients need it, and is shown mended',
    fields: { source: text('the file it comes from'), repair: text('what was done') },
  },
  certificate_engine_only: {
    level: 'info',
    meaning:
      'Node\'s own TLS does not take this certificate, so only clients of the engine are shown it; set use = "legacy" to make that plain',
    fields: { source: text('the file it comes from'), reason: text('what OpenSSL says') },
  },
  secret_exposed: {
    level: 'warn',
    meaning: 'a file with a private key or passphrase can be read or changed by others than the service',
    fields: {
      file: text('the file'),
      mode: text('its permissions, as chmod takes them'),
      remedy: text('the command that takes the excess away'),
    },
  },
  ticket_keys: {
    level: 'info',
    meaning: 'session tickets have the keys of this file from now on',
    fields: { file: text('with the keys'), keys: integer('in it; the first protects, all open', 'number') },
  },
  ticket_keys_failed: {
    level: 'error',
    meaning:
      'the file with the keys of session tickets cannot be used as it is now; the keys stay as they were',
    fields: { file: text('with the keys'), problem: text('what is wrong, and what to do') },
  },
  session_store_up: {
    level: 'info',
    meaning: 'the store for sessions can be used',
    fields: { store: text('its host and port') },
  },
  session_store_down: {
    level: 'warn',
    meaning: 'the store for sessions cannot be used; until it can, sessions of other machines are made anew',
    fields: { store: text('its host and port'), problem: peerText('what went wrong first') },
  },
  session_store_unreadable: {
    level: 'warn',
    meaning:
      'a stored session was not sealed with any of our keys, and is not used; is the file with the ticket keys the same everywhere?',
    fields: {},
  },
  backend_connection: {
    level: 'trace',
    meaning: 'a connection to a backend was made, or failed',
    fields: {
      backend: text('name of the backend'),
      duration: number('until it was made, or given up', 'milliseconds'),
      failure: maybe(text('why it failed, as `reason` of a session has it; absent: it did not')),
    },
  },
  backend_health: {
    level: 'debug',
    meaning: 'a backend was tried by a health check',
    fields: {
      backend: text('name of the backend'),
      failure: maybe(text('why it is not ready for mail; absent: it is')),
    },
  },
  backend_down: {
    level: 'error',
    meaning: 'a backend cannot be reached any more',
    fields: { backend: text('name of the backend'), reason: text('why') },
  },
  backend_up: {
    level: 'info',
    meaning: 'a backend can be reached again',
    fields: {
      backend: text('name of the backend'),
      down: number('how long it could not', 'seconds'),
    },
  },
  starttls_suppressed: {
    level: 'warn',
    meaning:
      'a client repeats a hello that nothing here suits, so its address is not offered STARTTLS for a while',
    fields: {
      address: text('of the client'),
      failures: integer('in a row', 'number'),
      fingerprint: text('hash of the fingerprint of its hello, as `connection_closed` has it'),
      reason: text('why the last handshake failed: the reason or the alert in its `connection_closed` line'),
      minutes: number('for how long', 'minutes'),
    },
  },
  process_sample: {
    level: 'trace',
    meaning: 'how busy a process is',
    fields: {
      pid: integer('process id', 'number'),
      delayMedian: number('by which timers came late, median', 'milliseconds'),
      delay99: number('by which timers came late, 99th percentile', 'milliseconds'),
      delayMax: number('by which timers came late, at most', 'milliseconds'),
      memory: integer('resident', 'bytes'),
      cpu: number('processor time since its start', 'seconds'),
    },
  },
  reloaded: {
    level: 'info',
    meaning: 'new connections get the configuration and certificates read just now',
    fields: { file: text('that was read') },
  },
  restart_needed: {
    level: 'warn',
    meaning: 'some of what was read takes a restart, and stays as it was at the start',
    fields: { file: text('that was read'), keys: texts('that were changed') },
  },
  reload_failed: {
    level: 'error',
    meaning: 'what was read could not be used; everything stays as it was',
    fields: { file: text('that was read'), problems: texts('each with its file, line and key') },
  },
  worker_lost: {
    level: 'error',
    meaning: 'a process that runs connections died, and took them with it, or could not be started',
    fields: {
      pid: integer('process id, 0 for one that could not be started', 'number'),
      how: text('the signal, the exit code, or why it could not be started'),
      connections: integer('that it ran', 'number'),
      restart: number('until another one is started', 'milliseconds'),
    },
  },
  privileges: {
    level: 'info',
    meaning: 'the user and the capabilities of the process',
    fields: {
      user: text('that it runs as'),
      capabilities: texts('that it has'),
    },
  },
  running_as_root: {
    level: 'warn',
    meaning:
      'oldhello runs as root, which it does not need; start it as an ordinary user with CAP_NET_BIND_SERVICE (docs/operation.md)',
    fields: {},
  },
  descriptors_short: {
    level: 'warn',
    meaning:
      'the limit on open files allows fewer connections than max-connections; raise LimitNOFILE= (ulimit -n)',
    fields: {
      limit: integer('open files', 'number'),
      connections: integer('that it is enough for', 'number'),
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
    meaning: 'systemd could not be told what happens; is systemd-notify installed?',
    fields: { error: text('what the system says') },
  },
  repeated: {
    level: 'warn',
    meaning: 'more of the same failure, which were not logged one by one',
    fields: {
      network: text('of the clients, /24 or /64'),
      outcome: CONNECTION_FIELDS.outcome,
      reason: CONNECTION_FIELDS.reason,
      count: integer('of sessions that were not logged', 'number'),
      seconds: integer('in which they came', 'seconds'),
    },
  },
  log_reopen_failed: {
    level: 'error',
    meaning: 'the log file cannot be opened again; the log continues in the file that was open',
    fields: { file: text('of the log'), error: text('what the system reports') },
  },
  log_dropped: {
    level: 'warn',
    meaning: 'lines of this log are missing here, because nobody took them',
    fields: { lines: integer('that are missing', 'number') },
  },
  stopping: {
    level: 'info',
    meaning: 'stopping',
    fields: { signal: text('that said so'), connections: integer('to end', 'number') },
  },
  stopped: { level: 'info', meaning: 'stopped', fields: {} },
  listener_error: {
    level: 'error',
    meaning: 'a listening socket reported an error',
    fields: { listener: text('name of the listener'), error: text('what the system says') },
  },
  internal_error: {
    level: 'error',
    meaning: 'a defect of oldhello itself; please report it',
    fields: { error: text('what went wrong, for its developers') },
  },
} as const satisfies Record<string, EventDeclaration>;

export type LogEvent = keyof typeof LOG_EVENTS;

export type EventFields<E extends LogEvent> = FieldsOf<(typeof LOG_EVENTS)[E]['fields']>;

/** One event as it happened. */
export type LogEntry = {
  [E in LogEvent]: { readonly event: E; readonly fields: EventFields<E>; readonly level: Level };
}[LogEvent];
