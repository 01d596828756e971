/** `oldhello probe`: does this server need a proxy in front of it? */
import { isIP } from 'node:net';
import { hostAndPort, parseHostAndPort } from '../net/endpoint.js';
import { PROBED_CLIENTS } from '../probe/old-clients.js';
import { probe as probeServer } from '../probe/probe.js';
import type { ProbeTarget } from '../probe/probe-connection.js';
import { lineOf, verdict } from '../probe/verdict.js';
import { FAILED, GOOD, say, UsageError, type Command } from './command.js';

export const probe: Command = {
  summary: 'see which old clients a server serves by itself',
  usage: `oldhello probe HOST[:PORT] [--implicit] [--json]

Pretends to be a dozen kinds of clients, old ones and two modern ones, one connection
after the other, and reports which of them the server serves. Sends no mail and nothing
but EHLO, STARTTLS and one ClientHello on each connection. Ends within seconds where TLS
is not reached, with the cause and the next step. HOST is a name or an address, an IPv6
address with a port in brackets.

  --implicit   TLS comes first (port 465), not STARTTLS (port 25)
  --json       for programs

Exit code 0 when every kind of old client is served, 1 when not or when the server cannot
be reached.`,
  options: { implicit: { type: 'boolean' }, json: { type: 'boolean' } },
  allowPositionals: true,
  async run({ values, positionals }) {
    const target = targetOf(positionals, values['implicit'] === true ? 'implicit' : 'starttls');
    const report = await probeServer(target);
    const { survives, sentence } = verdict(report);
    if (values['json'] === true) {
      const clients = report.results.map((result) => ({ ...result, ...descriptionOf(result.client) }));
      const { obstacle } = report;
      say(JSON.stringify({ ...target, survives, verdict: sentence, obstacle, clients }, undefined, 2));
    } else {
      const { host, port, mode } = target;
      say(`${hostAndPort(host, port)}, ${mode === 'implicit' ? 'TLS first' : 'STARTTLS'}\n`);
      for (const result of report.results) say(lineOf(result));
      say(`${report.results.length === 0 ? '' : '\n'}${sentence}`);
    }
    return survives ? GOOD : FAILED;
  },
};

function descriptionOf(client: keyof typeof PROBED_CLIENTS): object {
  const { title, old, profile } = PROBED_CLIENTS[client];
  return { title, old, profile };
}

/** @throws UsageError */
function targetOf(positionals: readonly string[], mode: ProbeTarget['mode']): ProbeTarget {
  const [where] = positionals;
  if (where === undefined || positionals.length > 1) throw new UsageError(`probe takes one HOST[:PORT]`);
  const usual = mode === 'implicit' ? 465 : 25;
  if (isIP(where) !== 0) return { host: where, port: usual, mode };
  const place = parseHostAndPort(where) ?? parseHostAndPort(`${where}:${usual}`);
  if (place === undefined || place.port === 0) {
    throw new UsageError(
      `${JSON.stringify(where)} is no HOST[:PORT]; such as mail.example.org, 192.0.2.1:25 or [2001:db8::1]:25`,
    );
  }
  return { ...place, mode };
}
