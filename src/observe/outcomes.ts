/** How a connection can end, for logs and everything that counts them. */

interface OutcomeRow {
  readonly level: 'info' | 'warn' | 'error';
  /** Whose doing it usually is; undefined where nothing went wrong. */
  readonly fault: 'client' | 'backend' | 'proxy' | undefined;
  readonly meaning: string;
  /** What the admin can do about it; undefined where nothing went wrong. */
  readonly remedy: string | undefined;
}

export const OUTCOMES = {
  completed: {
    level: 'info',
    fault: undefined,
    meaning: 'TLS was established and both sides closed in order',
    remedy: undefined,
  },
  left_after_handshake: {
    level: 'info',
    fault: undefined,
    meaning: 'the client closed right after the TLS handshake, without one byte inside TLS',
    remedy:
      'nothing if it is a monitor; a mail client has usually seen a certificate that it does not trust, or a name in it that it did not expect: give old clients a certificate of their own with use = "legacy", or switch verification off in the client',
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
    meaning: 'the handshake was refused; reason, alert and explanation say why',
    remedy: 'read what its reason says',
  },
  peer_alert: {
    level: 'warn',
    fault: 'client',
    meaning: 'the client ended TLS with a fatal alert of its own',
    remedy: 'read what its alert says',
  },
  not_tls: {
    level: 'warn',
    fault: 'client',
    meaning: 'what came where TLS should begin was not TLS',
    remedy:
      'see what the client is; a mail program may be set to the wrong port or the wrong kind of encryption',
  },
  native_tls_failed: {
    level: 'warn',
    fault: 'client',
    meaning: "the handshake with Node's TLS failed; reason is OpenSSL's",
    remedy:
      'see what the client says; modern = "engine" in the [[backend]] serves such clients with TLS 1.2 of our own',
  },
  passthrough_failed: {
    level: 'warn',
    fault: 'backend',
    meaning: "the backend's own TLS, to which the client was passed on, did not take it",
    remedy:
      'look into the log of the backend; modern = "terminate" in the [[backend]] serves such clients here',
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
    meaning: 'TLS broke after the handshake; reason and alert say how',
    remedy:
      'look for something between that changes bytes; if it is always this client, report it with its fingerprint',
  },
  data_limit: {
    level: 'warn',
    fault: undefined,
    meaning: 'closed because a 64-bit block cipher had protected as much as is safe',
    remedy: 'nothing if the client comes again by itself; it should be brought to AES',
  },
  smtp_refused: {
    level: 'warn',
    fault: 'client',
    meaning: 'the client broke SMTP before TLS; reason says how',
    remedy: 'read what its reason says',
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
    remedy: 'raise it in [limits] if the client is welcome; else it did its work',
  },
  bad_proxy_header: {
    level: 'warn',
    fault: 'client',
    meaning: 'a load balancer did not send the PROXY header it is configured to send',
    remedy:
      'set the load balancer to send a PROXY header, and list its address in proxy-protocol of the [[listener]], or take proxy-protocol out',
  },
  client_gone: {
    level: 'info',
    fault: 'client',
    meaning: 'the client vanished without ending its session',
    remedy:
      'nothing if it is rare; where it is always the same client, it gives up or crashes on what it was shown: try another certificate, or less of TLS, for its network',
  },
  client_timeout: {
    level: 'info',
    fault: 'client',
    meaning: 'the client was silent for longer than it may be',
    remedy:
      'nothing if it is rare; else raise the limit of that name in [limits], or look for packets that get lost (MTU)',
  },
  backend_failed: {
    level: 'error',
    fault: 'backend',
    meaning: 'the backend could not be reached or broke off',
    remedy: 'see that the backend runs and listens where its [[backend]] says, and look into its log',
  },
  backend_timeout: {
    level: 'error',
    fault: 'backend',
    meaning: 'the backend did not answer in time',
    remedy: 'see why the backend is slow (lookups of names, load), or raise the timeout in [limits]',
  },
  worker_lost: {
    level: 'error',
    fault: 'proxy',
    meaning: 'the process that served the connection died; see worker_lost in the log',
    remedy:
      'look at internal_error and worker_lost in the log, and for the kernel that ran out of memory; please report it',
  },
  shutdown: {
    level: 'info',
    fault: 'proxy',
    meaning: 'the proxy was stopped',
    remedy: 'nothing; shutdown-timeout in [limits] is what sessions get to finish',
  },
} as const satisfies Record<string, OutcomeRow>;

export type Outcome = keyof typeof OUTCOMES;
