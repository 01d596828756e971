/** How a connection can end, for logs and everything that counts them. */

interface OutcomeRow {
  readonly level: 'info' | 'warn' | 'error';
  /** Whose doing it usually is; undefined where nothing went wrong. */
  readonly fault: 'client' | 'backend' | 'proxy' | undefined;
  readonly means: string;
}

export const OUTCOMES = {
  completed: { level: 'info', fault: undefined, means: 'TLS was established and both sides closed in order' },
  plaintext: { level: 'info', fault: undefined, means: 'the client never asked for TLS' },
  handshake_refused: {
    level: 'warn',
    fault: 'client',
    means: 'the handshake was refused; reason, alert and explanation say why',
  },
  peer_alert: { level: 'warn', fault: 'client', means: 'the client ended TLS with a fatal alert of its own' },
  not_tls: { level: 'warn', fault: 'client', means: 'what came where TLS should begin was not TLS' },
  native_tls_failed: {
    level: 'warn',
    fault: 'client',
    means: "the handshake with Node's TLS failed; reason is OpenSSL's",
  },
  passthrough_failed: {
    level: 'warn',
    fault: 'backend',
    means: "the backend's own TLS, to which the client was passed on, did not take it",
  },
  tls_error: {
    level: 'warn',
    fault: 'client',
    means: 'TLS broke after the handshake; reason and alert say how',
  },
  data_limit: {
    level: 'warn',
    fault: undefined,
    means: 'closed because a 64-bit block cipher had protected as much as is safe',
  },
  smtp_refused: {
    level: 'warn',
    fault: 'client',
    means: 'the client broke SMTP before TLS; reason says how',
  },
  policy_refused: { level: 'info', fault: 'client', means: "the policy for the client's network refuses it" },
  limit_exceeded: { level: 'warn', fault: 'proxy', means: 'a configured limit was reached' },
  bad_proxy_header: {
    level: 'warn',
    fault: 'client',
    means: 'a load balancer did not send the PROXY header it is configured to send',
  },
  client_gone: { level: 'info', fault: 'client', means: 'the client vanished without ending its session' },
  client_timeout: {
    level: 'info',
    fault: 'client',
    means: 'the client was silent for longer than it may be',
  },
  backend_failed: {
    level: 'error',
    fault: 'backend',
    means: 'the backend could not be reached or broke off',
  },
  backend_timeout: { level: 'error', fault: 'backend', means: 'the backend did not answer in time' },
  shutdown: { level: 'info', fault: 'proxy', means: 'the proxy was stopped' },
} as const satisfies Record<string, OutcomeRow>;

export type Outcome = keyof typeof OUTCOMES;
