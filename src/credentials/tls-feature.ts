/** The TLS feature extension of a certificate (RFC 7633), which node:crypto does not show. */
import type { X509Certificate } from 'node:crypto';
import forge from 'node-forge';

/** Whether clients are to break off where no OCSP response is stapled to the handshake. */
export function demandsStaple({ raw }: X509Certificate): boolean {
  const [tbs] = sequence(forge.asn1.fromDer(raw.toString('latin1')));
  const explicit = sequence(tbs!).find(
    ({ tagClass, type }) =>
      tagClass === forge.asn1.Class.CONTEXT_SPECIFIC && (type as number) === EXTENSIONS_TAG,
  );
  if (explicit === undefined) return false;
  const extension = sequence(sequence(explicit)[0]!).find((one) => {
    return forge.asn1.derToOid(sequence(one)[0]!.value as string) === TLS_FEATURE;
  });
  if (extension === undefined) return false;
  const features = sequence(forge.asn1.fromDer(sequence(extension).at(-1)!.value as string));
  return features.some(({ value }) => STAPLES.has(value as string));
}

function sequence({ value }: forge.asn1.Asn1): forge.asn1.Asn1[] {
  return value as forge.asn1.Asn1[];
}

/** RFC 5280, 4.1: the tag of `extensions` in TBSCertificate. */
const EXTENSIONS_TAG = 3;
const TLS_FEATURE = '1.3.6.1.5.5.7.1.24';
/** status_request and status_request_v2 (RFC 6066, 8; RFC 6961, 2.2), each a byte of an INTEGER. */
const STAPLES: ReadonlySet<string> = new Set(['\x05', '\x11']);
