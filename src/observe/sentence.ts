/** What happened, in one sentence: `msg` of the JSON log, and the line that a terminal shows. */
import { hostAndPort } from '../net/endpoint.js';
import { LOG_EVENTS, type EventFields, type LogEntry, type LogEvent } from './events.js';

export function eventSentence(entry: LogEntry): string {
  return specificSentence(entry) ?? LOG_EVENTS[entry.event].meaning;
}

/** @returns a sentence with the most important fields; undefined for an event without a sentence of its own */
export function specificSentence({ event, fields }: LogEntry): string | undefined {
  const sentence = SENTENCES[event] as ((fields: LogEntry['fields']) => string) | undefined;
  return sentence?.(fields);
}

const SENTENCES: { readonly [E in LogEvent]?: (fields: EventFields<E>) => string } = {
  started: ({ version, node, pid }) => `oldhello ${version} is up, on Node ${node}, process ${pid}`,
  listening: ({ address, port, mode, listener, backend }) =>
    `listening on ${hostAndPort(address, port)}, ${mode}, listener ${listener}, backend ${backend}`,
  admin_listening: ({ address, port }) =>
    `serving the status page and metrics on ${hostAndPort(address, port)}`,
  connection_opened: ({ client, listener }) => `${client.address} connected to ${listener}`,
  connection_closed: connectionSentence,
  delivered: ({ from, to, size, tls }) =>
    `the embedded sink took a message of ${bytesText(size)} from <${from}> to ${to.map((one) => `<${one}>`).join(', ')}` +
    (tls === undefined ? ', without TLS' : `, ${tls.version ?? 'TLS'} ${tls.cipher ?? ''}`.trimEnd()),
  certificate: ({ source, subject, keyAlgorithm, signatureAlgorithm, use, daysLeft }) =>
    `using certificate ${source}: ${subject}, ${keyAlgorithm}, ${signatureAlgorithm}, for ${use} clients, ${daysLeft} days left`,
  backend_down: ({ backend, address, reason, left }) =>
    `backend ${backend} (${address}) cannot be reached: ${reason}${left > 0 ? `; ${left} of its addresses left` : ''}`,
  backend_up: ({ backend, address, down }) =>
    `backend ${backend} (${address}) can be reached again after ${down} s`,
  reloaded: ({ file }) => `reloaded ${file}, for new connections`,
  worker_lost: ({ pid, how, connections }) =>
    `worker ${pid} died (${how}), and ${connections} connections with it`,
  descriptors_exhausted: ({ pid, error, limit }) =>
    `process ${pid} has no file descriptor left, so new connections are closed without an answer: ` +
    (error === 'ENFILE'
      ? 'the machine has too many open files (ENFILE), raise sysctl fs.file-max'
      : `its limit is ${limit ?? 'unknown'} (EMFILE), raise LimitNOFILE= in the systemd unit (ulimit -n)`),
  privileges: ({ user, capabilities }) => `running as ${user}${capabilityText(capabilities)}`,
  repeated: ({ count, seconds, network, outcome, reason }) =>
    `${count} more of the same from ${network} in ${seconds} s were not logged: ${endingText(outcome, reason)}`,
  stopping: ({ signal, connections }) => `${signal}: stopping, with ${connections} connections to end`,
};

function connectionSentence(fields: EventFields<'connection_closed'>): string {
  const { client, hello, tls, smtp, bytes, durations, outcome, reason, alert, explanation } = fields;
  const facts = [
    client.address,
    hello && `${hello.format === 'sslv2' ? 'SSLv2-format hello' : 'hello'} up to ${hello.version}`,
    tls && `${tls.version} ${tls.suite}${tls.resumed === true ? ' resumed' : ''}`,
    smtp && `helo ${smtp.helo}`,
    `${bytesText(bytes.fromClient)} in`,
    `${bytesText(bytes.toClient)} out`,
    durationText(durations.total),
  ];
  const known = facts.filter((fact) => fact !== undefined).join(', ');
  const why = explanation === undefined ? '' : `: ${explanation}`;
  return `${known}: ${endingText(outcome, reason ?? alert)}${why}`;
}

function endingText(outcome: string, reason: string | undefined): string {
  return reason === undefined ? outcome : `${outcome} (${reason})`;
}

function capabilityText(capabilities: readonly string[]): string {
  if (capabilities.length === 0) return ', without capabilities';
  if (capabilities.length > MAX_CAPABILITIES) return `, with ${capabilities.length} capabilities`;
  return `, with ${capabilities.join(', ')}`;
}

function bytesText(bytes: number): string {
  if (bytes < 10_000) return `${bytes} B`;
  return bytes < 10_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${Math.round(bytes / 1_000_000)} MB`;
}

function durationText(milliseconds: number): string {
  return milliseconds < 1_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;
}

/** A service needs one or two. */
const MAX_CAPABILITIES = 3;
