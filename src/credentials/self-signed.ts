/** The self-signed certificate that is used if none is configured. */
import { makeRsaKey, selfSigned } from './certificate-maker.js';

export function makeSelfSigned(hostname: string): { chainPem: string; keyPem: string } {
  const { pem, keyPem } = selfSigned(makeRsaKey(), {
    names: [hostname],
    days: LIFETIME_DAYS,
    digest: 'sha256',
  });
  return { chainPem: pem, keyPem };
}

/** Ten years, because nobody renews it. */
const LIFETIME_DAYS = 3650;
