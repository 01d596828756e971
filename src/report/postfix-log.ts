/** What Postfix's smtpd logs of TLS, with smtpd_tls_loglevel = 1. The lines of one connection belong together by process. */
import type { MailLogEntry } from './mail-log-entry.js';

interface Connection {
  /** Of "SSL_accept error"; the library's reason may follow on the next line. */
  failed: { readonly time: string; readonly failure: string } | undefined;
  hadTls: boolean;
}

export class PostfixLog {
  readonly #connections = new Map<string, Connection>();

  read(time: string, pid: string, message: string): MailLogEntry | undefined {
    const established = ESTABLISHED.exec(message);
    if (established !== null) {
      const [, host, version, suite] = established;
      this.#connection(pid).hadTls = true;
      return { time, ...peer(host!), tls: { version: version!, suite: suite! } };
    }
    const failed = ACCEPT_ERROR.exec(message);
    if (failed !== null) {
      this.#connection(pid).failed = {
        time,
        failure: failed[2] === '-1' ? 'TLS library problem' : failed[2]!,
      };
      return undefined;
    }
    const library = LIBRARY_PROBLEM.exec(message);
    const known = this.#connections.get(pid);
    if (library !== null && known?.failed !== undefined) {
      known.failed = { time: known.failed.time, failure: library[1]! };
      return undefined;
    }
    const ended = DISCONNECT.exec(message);
    return ended === null ? undefined : this.#end(time, pid, ended[1]!, ended[2]!);
  }

  #end(time: string, pid: string, host: string, commands: string): MailLogEntry | undefined {
    const connection = this.#connections.get(pid);
    this.#connections.delete(pid);
    if (connection?.failed !== undefined) return { ...connection.failed, ...peer(host) };
    const hadMail = /\bmail=[1-9]/.test(commands);
    return connection?.hadTls !== true && hadMail ? { time, ...peer(host) } : undefined;
  }

  #connection(pid: string): Connection {
    const known = this.#connections.get(pid);
    if (known !== undefined) return known;
    if (this.#connections.size >= MAX_PROCESSES)
      this.#connections.delete(this.#connections.keys().next().value!);
    const connection: Connection = { failed: undefined, hadTls: false };
    this.#connections.set(pid, connection);
    return connection;
  }
}

/** "mx.example[192.0.2.1]" or "unknown[192.0.2.1]:40000" */
function peer(host: string): { readonly address: string; readonly name: string | undefined } {
  const [, name = '', address = host] = /^([^[]*)\[([^\]]+)\]/.exec(host) ?? [];
  return { address, name: name === 'unknown' || name === '' ? undefined : name };
}

const ESTABLISHED = /^(?:\w+ )?TLS connection established from (\S+): (\S+) with cipher (\S+)/;
const ACCEPT_ERROR = /^SSL_accept error from (\S+): (.+)$/;
/** "error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2226:" */
const LIBRARY_PROBLEM = /^warning: TLS library problem: (?:\d+:)?error:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/;
const DISCONNECT = /^disconnect from (\S+)(.*)$/;
/** More smtpd processes than any Postfix runs at once. */
const MAX_PROCESSES = 10_000;
