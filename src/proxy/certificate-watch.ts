/** Logs the certificates in use when they are loaded, and each day those that expire soon. */
import { CERTIFICATE_SOON_DAYS, daysUntil } from '../observe/certificate-expiry.js';
import type { Log } from '../observe/log.js';
import type { LoadedCredential } from '../credentials/credentials.js';

export class CertificateWatch {
  readonly #log: Log;
  readonly #now: () => number;
  #credentials: readonly LoadedCredential[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds since 1970 */
  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** Replaces the certificates in use. */
  setCertificates(credentials: readonly LoadedCredential[]): void {
    this.#credentials = credentials;
    for (const { source, use, info, engineOnly, repairs, exposed } of credentials) {
      this.#log('certificate', { source, use, ...info, daysLeft: daysUntil(info.notAfter, this.#now()) });
      if (engineOnly !== undefined && use !== 'legacy') {
        this.#log('certificate_engine_only', { source, reason: engineOnly });
      }
      for (const repair of repairs) this.#log('certificate_chain_mended', { source, repair });
      for (const one of exposed) this.#log('secret_exposed', { ...one });
    }
    this.#checkDates();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#checkDates(), DAY_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** An expired certificate stays in use: most old clients do not check the date, and mail should not stop for it. */
  #checkDates(): void {
    const now = this.#now();
    for (const { source, info } of this.#credentials) {
      const { subject, notBefore, notAfter } = info;
      const daysLeft = daysUntil(notAfter, now);
      if (now > Date.parse(notAfter))
        this.#log('certificate_expired', { source, subject, notAfter, daysLeft });
      else if (daysLeft < CERTIFICATE_SOON_DAYS)
        this.#log('certificate_expires', { source, subject, notAfter, daysLeft });
      if (now < Date.parse(notBefore)) this.#log('certificate_not_yet_valid', { source, subject, notBefore });
    }
  }
}

const DAY_MS = 24 * 60 * 60 * 1000;
