/** Whether a backend relays mail of strangers, tried with an empty sender and with one that looks like its own. */
import type { BackendPlan } from '../proxy/backend/open-session.js';
import type { Reply } from '../smtp/reply.js';
import { quote, type PathFindings } from './path-findings.js';
import type { Answer, SmtpClient } from './smtp-client.js';

/** @param client after EHLO */
export async function checkRelay(
  client: SmtpClient,
  { config: { identity }, hostname }: BackendPlan,
  found: PathFindings,
): Promise<void> {
  let refusal: Reply | undefined;
  for (const sender of ['', `${PROBE_NAME}@${hostname}`]) {
    const mail = await client.ask(`MAIL FROM:<${sender}>`);
    const rcpt = isPositive(mail) ? await client.ask(`RCPT TO:<${PROBE_NAME}@${FOREIGN_DOMAIN}>`) : mail;
    if ('noReply' in rcpt) {
      found.add('relay', 'unknown', 'it stopped replying during this check');
      return;
    }
    if (isPositive(rcpt)) {
      const message = `an open relay: it accepts mail of ${found.stranger} from <${sender}> to <${PROBE_NAME}@${FOREIGN_DOMAIN}> (${quote(rcpt.reply)})`;
      found.add('relay', 'bad', message, identity === 'none' ? 'relay-none' : 'relay');
      await client.ask('RSET');
      return;
    }
    refusal = rcpt.reply;
    await client.ask('RSET');
  }
  found.add('relay', 'good', `it does not relay for ${found.stranger}: ${quote(refusal!)}`);
}

function isPositive(answer: Answer): boolean {
  return 'reply' in answer && answer.reply.code >= 200 && answer.reply.code < 300;
}

const PROBE_NAME = 'oldhello-check';
/** example.org is reserved (RFC 2606); no server has mail for a name below it. */
const FOREIGN_DOMAIN = 'relay-test.example.org';
