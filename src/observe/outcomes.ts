/** How a connection can end: a table for the log, metrics and docs. */

interface OutcomeRow {
  readonly level: 'info' | 'warn' | 'error';
  /** The side that usually causes it; undefined where nothing went wrong. */
  readonly fault: 'client' | 'backend' | 'proxy' | undefined;
  readonly meaning: string;
  /** What the administrator can do about it; undefined where nothing went wrong. */
  readonly remedy: string | undefined;
}

export const OUTCOMES = {
  completed: {
    level: 'info',
    fault: undefined,
    meaning: 'TLS was established, and the connection was closed normally',
    remedy: undefined,
  },
  left_after_handshake: {
    level: 'info',
    fault: undefined,
    meaning: 'the client closed right after the TLS handshake, without one byte inside TLS',
    remedy:
      'nothing if it is a monitor; a mail client has usually rejected the certificate or the name in it: configure a certificate for old clients with use = "legacy", or switch verification off in the client',
  },
  plaintext: {
    level: 'info',
    fault: undefined,
    meaning: 'the client never asked for TLS',
    remedy: undefined,
  },
  handshake_refused: {
    level: 'warn',
    fault: 'client',
    meaning: 'oldhello refused the handshake; see reason, alert and explanation',
    remedy: 'look up its reason',
  },
  peer_alert: {
    level: 'warn',
    fault: 'client',
    meaning: 'the client sent a fatal alert',
    remedy: 'look up its alert',
  },
  not_tls: {
    level: 'warn',
    fault: 'client',
    meaning: 'the client sent something else where TLS should begin',
    remedy:
      'find out what the client is; a mail program may be set to the wrong port or the wrong kind of encryption',
  },
  native_tls_failed: {
    level: 'warn',
    fault: 'client',
    meaning: "the handshake with Node's TLS failed; reason is the error of OpenSSL",
    remedy:
      'read the log of the client; with modern = "engine" in the [[backend]], our own TLS 1.2 serves such clients',
  },
  passthrough_failed: {
    level: 'warn',
    fault: 'backend',
    meaning: "the client was passed through to the backend's own TLS, and that handshake failed",
    remedy:
      'read the log of the backend; with modern = "terminate" in the [[backend]], oldhello serves such clients itself',
  },
  alert_from_backend: {
    level: 'warn',
    fault: 'backend',
    meaning: "the backend's own TLS, to which the client was passed on, refused it with a fatal alert",
    remedy:
      'look into the log of the backend; where it has tls = "observe", oldhello can serve such clients with tls = "bridge"',
  },
  alert_from_client: {
    level: 'warn',
    fault: 'client',
    meaning: "the client refused the backend's own TLS, to which it was passed on, with a fatal alert",
    remedy:
      'read the alert: most clients that send one do not trust the certificate of the backend, or cannot read it',
  },
  tls_error: {
    level: 'warn',
    fault: 'client',
    meaning: 'TLS failed after the handshake; see reason and alert',
    remedy:
      'look for a device on the way that changes data; if it is always this client, report it with its fingerprint',
  },
  data_limit: {
    level: 'warn',
    fault: undefined,
    meaning: 'closed because a 64-bit block cipher had reached its safe amount of data',
    remedy: 'nothing if the client reconnects by itself; better, update it to one that has AES',
  },
  smtp_refused: {
    level: 'warn',
    fault: 'client',
    meaning: 'the client violated SMTP before TLS; see reason',
    remedy: 'look up its reason',
  },
  policy_refused: {
    level: 'info',
    fault: 'client',
    meaning: "the policy for the client's network refuses it",
    remedy: 'change the [[policy]] that matches its address, if it is welcome',
  },
  limit_exceeded: {
    level: 'warn',
    fault: 'proxy',
    meaning: 'a configured limit was reached',
    remedy: 'raise it in [limits] if the client is welcome; otherwise nothing',
  },
  bad_proxy_header: {
    level: 'warn',
    fault: 'client',
    meaning: 'a load balancer that is listed in proxy-protocol did not send a PROXY header',
    remedy:
      'configure the load balancer to send a PROXY header, or remove it from proxy-protocol in the [[listener]]',
  },
  client_gone: {
    level: 'info',
    fault: 'client',
    meaning: 'the client closed the connection or it was lost, in the middle of a session',
    remedy:
      'nothing if it is rare; if it is always the same client, it gives up or crashes in the handshake: try another certificate or an older profile for its network',
  },
  client_timeout: {
    level: 'info',
    fault: 'client',
    meaning: 'the client sent nothing until a timeout',
    remedy: 'nothing if it is rare; otherwise raise the timeout in [limits], or look for lost packets (MTU)',
  },
  backend_failed: {
    level: 'error',
    fault: 'backend',
    meaning: 'the backend could not be reached, or it closed the connection too early',
    remedy: 'check that the backend runs and listens on the address in its [[backend]], and read its log',
  },
  backend_timeout: {
    level: 'error',
    fault: 'backend',
    meaning: 'the backend did not answer in time',
    remedy: 'find out why the backend is slow (name lookups, load), or raise the timeout in [limits]',
  },
  worker_lost: {
    level: 'error',
    fault: 'proxy',
    meaning: 'the process that served the connection died; see worker_lost in the log',
    remedy:
      'look for internal_error and worker_lost in the log, and for "out of memory" in the log of the kernel; please report it',
  },
  shutdown: {
    level: 'info',
    fault: 'proxy',
    meaning: 'oldhello was stopped',
    remedy: 'nothing; connections have shutdown-timeout in [limits] to finish',
  },
} as const satisfies Record<string, OutcomeRow>;

export type Outcome = keyof typeof OUTCOMES;
