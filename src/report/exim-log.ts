/** What Exim's main log has of TLS: X= of each message that was received, and errors of handshakes. */
import type { MailLogEntry } from './mail-log-entry.js';

export function eximEntry(time: string, message: string): MailLogEntry | undefined {
  const failed = TLS_ERROR.exec(message);
  if (failed !== null) return entry(time, failed[1]!, { failure: failureOf(failed[2]!) });
  const received = RECEIVED.exec(message);
  if (received === null || !/ P=e?smtp/.test(message)) return undefined;
  const tls = / X=([^: ]+):([^: ]+)/.exec(message);
  const agreed = tls === null ? {} : { tls: { version: versionOf(tls[1]!), suite: tls[2]! } };
  return entry(time, received[1]!, agreed);
}

/** @param peer begins with "host.example (helo.example) [192.0.2.1]", of which all but the address may be absent */
function entry(
  time: string,
  peer: string,
  known: Pick<MailLogEntry, 'tls' | 'failure'>,
): MailLogEntry | undefined {
  const [, host, helo, address] = PEER.exec(peer) ?? [];
  return address === undefined ? undefined : { time, address, name: helo ?? host, ...known };
}

/** GnuTLS writes "TLS1.0" where OpenSSL writes "TLSv1". */
function versionOf(text: string): string {
  const [, kind = '', number = ''] = /^(SSL|TLS)v?(\d(?:\.\d)?)$/.exec(text) ?? [];
  if (kind === 'SSL') return 'SSLv3';
  return kind === '' ? text : `TLSv${number.replace(/\.0$/, '')}`;
}

/** OpenSSL's text has its error code and routine in front of the reason. */
function failureOf(text: string): string {
  const openssl = /error:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/.exec(text);
  return (openssl?.[1] ?? text).replace(/\.$/, '');
}

// Each takes time in proportion to the length of the line, because a peer writes parts of it.
const PEER = /^(?:([^\s([]+) )?(?:\(([^)]*)\) )?\[([^\]]+)\]/;
const TLS_ERROR = /^TLS error on connection from (.*?) \((?:gnutls_handshake|SSL_accept)\): (.*)$/;
const RECEIVED = /^\S+ <= \S+ (?:.*? )??H=(.*)$/;
