/** What the logs of mail servers have of a connection. */

/** One connection; in clear where it has neither TLS nor a failure. */
export interface MailLogEntry {
  readonly time: string;
  readonly address: string;
  readonly name: string | undefined;
  readonly tls?: { readonly version: string; readonly suite: string };
  /** In words. */
  readonly failure?: string;
}
