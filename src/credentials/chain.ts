/** Certificates in the order in which a server sends them. */
import type { X509Certificate } from 'node:crypto';

export interface Chain {
  /** The server's own first, then the issuer of each (RFC 5246, 7.4.2). */
  readonly certificates: readonly X509Certificate[];
  /** Certificates that do not belong to the chain. */
  readonly others: readonly X509Certificate[];
}

export function orderChain(leaf: X509Certificate, given: readonly X509Certificate[]): Chain {
  const certificates = [leaf];
  for (let last = leaf; !isIssuedBy(last, last);) {
    const issuer = given.find((one) => !certificates.includes(one) && isIssuedBy(last, one));
    if (issuer === undefined) break;
    certificates.push(issuer);
    last = issuer;
  }
  const raw = certificates.map((one) => one.raw);
  const others = given.filter((one) => !raw.some((known) => known.equals(one.raw)));
  return { certificates, others };
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
