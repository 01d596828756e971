/** What Exim's main log has of TLS: X= of each message that was received, and errors of handshakes. */
import type { MailLogEntry } from './mail-log-entry.js';

export function eximEntry(time: string, message: string): MailLogEntry | undefined {
  const failed = TLS_ERROR.exec(message);
  if (failed !== null) return { time, ...peer(failed[1]!), failure: failureOf(failed[2]!) };
  const received = RECEIVED.exec(message);
  if (received === null || !/ P=e?smtp/.test(message)) return undefined;
  const tls = / X=([^: ]+):([^: ]+)/.exec(message);
  const from = { time, ...peer(received[1]!) };
  return tls === null ? from : { ...from, tls: { version: versionOf(tls[1]!), suite: tls[2]! } };
}

/** "host.example (helo.example) [192.0.2.1]:4000", each but the address may be absent */
function peer(text: string): { readonly address: string; readonly name: string | undefined } {
  const [, host, helo, address = ''] = PEER.exec(text) ?? [];
  return { address, name: helo ?? host };
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

const PEER = /^(?:([^\s([]+) )?(?:\(([^)]*)\) )?\[([^\]]+)\]/;
const TLS_ERROR =
  /^TLS error on connection from (.*?\[[^\]]+\]\S*).*? \((?:gnutls_handshake|SSL_accept)\): (.*)$/;
const RECEIVED = /^\S+ <= \S+ (?:.*? )?H=((?:[^\s([]\S* )?(?:\([^)]*\) )?\[[^\]]+\])/;
