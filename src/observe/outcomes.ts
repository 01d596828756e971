/** How a connection can end, for logs and everything that counts them. */

interface OutcomeRow {
  readonly level: 'info' | 'warn' | 'error';
  /** Whose doing it usually is; undefined where nothing went wrong. */
  readonly fault: 'client' | 'backend' | 'proxy' | undefined;
  readonly means: string;
  /** What the admin can do about it; undefined where nothing went wrong. */
  readonly try: string | undefined;
}

export const OUTCOMES = {
  completed: {
    level: 'info',
    fault: undefined,
    means: 'TLS was established and both sides closed in order',
    try: undefined,
  },
  plaintext: { level: 'info', fault: undefined, means: 'the client never asked for TLS', try: undefined },
  handshake_refused: {
    level: 'warn',
    fault: 'client',
    means: 'the handshake was refused; reason, alert and explanation say why',
    try: 'read what its reason says',
  },
  peer_alert: {
    level: 'warn',
    fault: 'client',
    means: 'the client ended TLS with a fatal alert of its own',
    try: 'read what its alert says',
  },
  not_tls: {
    level: 'warn',
    fault: 'client',
    means: 'what came where TLS should begin was not TLS',
    try: 'see what the client is; a mail program may be set to the wrong port or the wrong kind of encryption',
  },
  native_tls_failed: {
    level: 'warn',
    fault: 'client',
    means: "the handshake with Node's TLS failed; reason is OpenSSL's",
    try: 'see what the client says; modern = "engine" in the [[backend]] serves such clients with TLS 1.2 of our own',
  },
  passthrough_failed: {
    level: 'warn',
    fault: 'backend',
    means: "the backend's own TLS, to which the client was passed on, did not take it",
    try: 'look into the log of the backend; modern = "terminate" in the [[backend]] serves such clients here',
  },
  tls_error: {
    level: 'warn',
    fault: 'client',
    means: 'TLS broke after the handshake; reason and alert say how',
    try: 'look for something between that changes bytes; if it is always this client, report it with its fingerprint',
  },
  data_limit: {
    level: 'warn',
    fault: undefined,
    means: 'closed because a 64-bit block cipher had protected as much as is safe',
    try: 'nothing if the client comes again by itself; it should be brought to AES',
  },
  smtp_refused: {
    level: 'warn',
    fault: 'client',
    means: 'the client broke SMTP before TLS; reason says how',
    try: 'read what its reason says',
  },
  policy_refused: {
    level: 'info',
    fault: 'client',
    means: "the policy for the client's network refuses it",
    try: 'change the [[policy]] that matches its address, if it is welcome',
  },
  limit_exceeded: {
    level: 'warn',
    fault: 'proxy',
    means: 'a configured limit was reached',
    try: 'raise it in [limits] if the client is welcome; else it did its work',
  },
  bad_proxy_header: {
    level: 'warn',
    fault: 'client',
    means: 'a load balancer did not send the PROXY header it is configured to send',
    try: 'set the load balancer to send a PROXY header, and list its address in proxy-protocol of the [[listener]], or take proxy-protocol out',
  },
  client_gone: {
    level: 'info',
    fault: 'client',
    means: 'the client vanished without ending its session',
    try: 'nothing if it is rare; where it is always the same client, it gives up or crashes on what it was shown: try another certificate, or less of TLS, for its network',
  },
  client_timeout: {
    level: 'info',
    fault: 'client',
    means: 'the client was silent for longer than it may be',
    try: 'nothing if it is rare; else raise the limit of that name in [limits], or look for packets that get lost (MTU)',
  },
  backend_failed: {
    level: 'error',
    fault: 'backend',
    means: 'the backend could not be reached or broke off',
    try: 'see that the backend runs and listens where its [[backend]] says, and look into its log',
  },
  backend_timeout: {
    level: 'error',
    fault: 'backend',
    means: 'the backend did not answer in time',
    try: 'see why the backend is slow (lookups of names, load), or raise the timeout in [limits]',
  },
  worker_lost: {
    level: 'error',
    fault: 'proxy',
    means: 'the process that served the connection died; see worker_lost in the log',
    try: 'look at internal_error and worker_lost in the log, and for the kernel that ran out of memory; please report it',
  },
  shutdown: {
    level: 'info',
    fault: 'proxy',
    means: 'the proxy was stopped',
    try: 'nothing; shutdown-timeout in [limits] is what sessions get to finish',
  },
} as const satisfies Record<string, OutcomeRow>;

export type Outcome = keyof typeof OUTCOMES;
