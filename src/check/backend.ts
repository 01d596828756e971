/**
 * Goes to a backend the way a client's mail does, as a stranger from an address that nobody has, and looks what the
 * backend makes of it. No message is ever sent: each transaction ends before DATA.
 */
import { createSocket } from 'node:dgram';
import { connect, isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { BackendConfig } from '../config/schema.js';
import { sanitizePeerText } from '../observe/sanitize.js';
import type { ClientIdentity } from '../proxy/backend/dial.js';
import type { BackendError, BackendFailure } from '../proxy/backend/backend-error.js';
import { openBackendSession, type BackendPlan } from '../proxy/backend/open-session.js';

import { SocketChannel } from '../proxy/transport/socket-channel.js';
import { offered } from '../smtp/ehlo-reply.js';
import { lastLine, wholeReply, type Reply } from '../smtp/reply.js';
import { advise, recognize, type AdviceTopic, type MailServer } from './advice.js';
import { Conversation, type Silence } from './conversation.js';
import type { CheckName, Finding, Verdict } from './finding.js';
import type { Leg } from './delivery-paths.js';

/** @param patience milliseconds for each step */
export async function checkLeg(plan: BackendPlan, leg: Leg, patience: number): Promise<Finding[]> {
  const check = new LegCheck(plan, leg, patience);
  await check.run();
  return check.findings;
}

class LegCheck {
  readonly findings: Finding[] = [];
  readonly #plan: BackendPlan;
  readonly #leg: Leg;
  readonly #patience: number;
  #server: MailServer | undefined;
  /** Where oldhello connects from, as the backend sees it. */
  #us = 'the address of oldhello';

  constructor(plan: BackendPlan, leg: Leg, patience: number) {
    this.#plan = plan;
    this.#leg = leg;
    this.#patience = patience;
  }

  /** Who is the client, as far as the backend can know. */
  get #stranger(): string {
    return this.#config.identity === 'none' ? `anybody behind ${this.#us}` : CLAIMED;
  }

  get #headed(): boolean {
    return this.#config.identity.startsWith('proxy-');
  }

  /** For a session that broke where the client's identity was told, or was not. */
  get #identityAdvice(): AdviceTopic {
    const { identity } = this.#config;
    return identity === 'proxy-v1' || identity === 'proxy-v2' ? identity : 'no-header';
  }

  get #config(): BackendConfig {
    return this.#plan.config;
  }

  async run(): Promise<void> {
    this.#us = (await localAddress(this.#config)) ?? this.#us;
    const opened = await open(this.#plan, this.#leg.security, this.#patience);
    if ('error' in opened) {
      this.#notOpened(opened.error);
      return;
    }
    const { channel, said } = opened;
    const conversation = new Conversation(channel, said, this.#patience);
    const greeting = await conversation.reply();
    if ('silence' in greeting) this.#notGreeted(greeting.silence);
    else {
      this.#server = recognize(wholeReply(greeting.reply).toString('latin1'));
      if (greeting.reply.code === 220) await this.#greeted(channel, conversation);
      else this.#turnedAway(greeting.reply);
    }
    await conversation.quit();
  }

  // ---- before SMTP ----

  #notOpened({ reason, message }: BackendError): void {
    const { check, topic } = this.#meaningOf(reason);
    this.#find(check, 'bad', message, topic);
    for (const unseen of ['identity', 'relay'] as const) {
      if (unseen !== check) this.#find(unseen, 'unknown', 'could not be tried');
    }
  }

  #meaningOf(reason: BackendFailure): { check: CheckName; topic?: AdviceTopic } {
    switch (reason) {
      case 'backend_no_xclient':
      case 'backend_xclient_refused':
        return { check: 'identity', topic: 'xclient' };
      case 'backend_trusts_clients':
        return { check: 'trust', topic: 'trust' };
      case 'backend_no_starttls':
      case 'backend_starttls_refused':
      case 'backend_early_bytes':
      case 'backend_tls_failed':
        return { check: 'tls', topic: 'starttls' };
      case 'backend_tls_untrusted':
        return { check: 'tls' };
      case 'backend_ehlo_refused':
      case 'backend_reply_broken':
      case 'backend_closed':
        return { check: 'identity', topic: this.#identityAdvice };
      case 'backend_unreachable':
      case 'backend_connect_timeout':
      case 'backend_greeting_timeout':
      case 'backend_reply_timeout':
      case 'backend_nearby':
        return { check: 'connection' };
    }
  }

  #notGreeted(silence: Silence): void {
    const what = {
      closed: 'it closes the connection',
      silent: `it says nothing for ${this.#patience / 1000} s`,
      broken: 'what it says is not SMTP',
    }[silence];
    const { identity } = this.#config;
    if (identity === 'none') {
      const message = `${what} instead of greeting; it may wait for a PROXY header`;
      this.#find('connection', 'bad', message, 'no-header');
    } else {
      this.#find(
        'identity',
        'bad',
        `${what} when it is told who the client is by ${identity}`,
        this.#identityAdvice,
      );
    }
    this.#find('relay', 'unknown', 'could not be tried');
  }

  /** Either the claimed client is unwelcome, or what was said before the greeting is. */
  #turnedAway(reply: Reply): void {
    const { identity } = this.#config;
    const expected = this.#headed ? `does not expect a header of ${identity}` : 'waits for a PROXY header';
    const message = `it greets with ${quote(reply)}: it refuses ${this.#stranger}, or ${expected}`;
    this.#find('connection', 'bad', message, this.#identityAdvice);
    this.#find('relay', 'unknown', 'could not be tried');
  }

  // ---- in SMTP ----

  async #greeted(channel: SocketChannel, conversation: Conversation): Promise<void> {
    this.#find('connection', 'good', this.#server === undefined ? 'it greets' : `${this.#server} greets`);
    this.#sees(channel);
    const ehlo = await conversation.ask(`EHLO ${this.#plan.hostname}`);
    if ('silence' in ehlo || ehlo.reply.code !== 250) {
      const words = 'silence' in ehlo ? 'it is silent after EHLO' : `it answers ${quote(ehlo.reply)}`;
      const { identity } = this.#config;
      this.#find(
        'identity',
        'bad',
        `${words}: it takes what ${identity} says for SMTP, and does not expect it`,
        this.#identityAdvice,
      );
      this.#find('relay', 'unknown', 'could not be tried');
      return;
    }
    await this.#identity(ehlo.reply);
    this.#trust(ehlo.reply);
    await this.#relay(conversation);
    if (this.#leg.bridged) await this.#passOnStarttls(conversation, ehlo.reply);
  }

  async #identity(ehlo: Reply): Promise<void> {
    const { identity } = this.#config;
    if (identity === 'none') {
      this.#find('identity', 'good', `it takes every client for ${this.#us}, as identity = "none" says`);
      return;
    }
    const hello = sanitizePeerText(ehlo.lines[0]!.toString('latin1').trimEnd());
    if (hello.includes(this.#us) && !hello.includes(CLAIMED)) {
      this.#find('identity', 'bad', `it takes the client for ${this.#us}: "${hello}"`, identity);
      return;
    }
    this.#find('identity', 'good', `it accepts ${identity}`);
    if (hello.includes(CLAIMED)) {
      this.#find('observed', 'good', `it knows the claimed address: "${hello}"`);
    } else if (identity === 'xclient') {
      const gone = offered(ehlo, 'XCLIENT') === undefined;
      if (gone) this.#find('observed', 'good', `it offered XCLIENT to ${this.#us}, and not to ${CLAIMED}`);
    } else if (await refusesBrokenHeader(this.#config, this.#patience)) {
      this.#find(
        'observed',
        'good',
        `it reads the header: a broken one it refuses; its log names ${CLAIMED}`,
      );
    } else {
      this.#find('observed', 'unknown', `nothing it says shows an address; its log should name ${CLAIMED}`);
    }
  }

  #trust(ehlo: Reply): void {
    const keywords = ['XCLIENT', 'XFORWARD'].filter((keyword) => offered(ehlo, keyword) !== undefined);
    if (keywords.length === 0)
      this.#find('trust', 'good', 'it offers strangers neither XCLIENT nor XFORWARD');
    else {
      this.#find('trust', 'bad', `it lets ${this.#stranger} use ${keywords.join(' and ')}`, 'trust');
    }
  }

  async #relay(conversation: Conversation): Promise<void> {
    const { identity } = this.#config;
    let refusal: Reply | undefined;
    for (const sender of ['', `${PROBE_NAME}@${this.#plan.hostname}`]) {
      const mail = await conversation.ask(`MAIL FROM:<${sender}>`);
      const rcpt = isPositive(mail)
        ? await conversation.ask(`RCPT TO:<${PROBE_NAME}@${FOREIGN_DOMAIN}>`)
        : mail;
      if ('silence' in rcpt) {
        this.#find('relay', 'unknown', 'it fell silent when it was tried');
        return;
      }
      if (isPositive(rcpt)) {
        const message = `an open relay: it takes mail of ${this.#stranger} from <${sender}> to <${PROBE_NAME}@${FOREIGN_DOMAIN}> (${quote(rcpt.reply)})`;
        this.#find('relay', 'bad', message, identity === 'none' ? 'relay-none' : 'relay');
        await conversation.ask('RSET');
        return;
      }
      refusal = rcpt.reply;
      await conversation.ask('RSET');
    }
    this.#find('relay', 'good', `it does not relay for ${this.#stranger}: ${quote(refusal!)}`);
  }

  // ---- TLS of the backend's own ----

  #sees(channel: SocketChannel): void {
    const socket = channel instanceof SocketChannel ? channel.socket : undefined;
    if (!(socket instanceof TLSSocket)) return;
    const trust = this.#config.tlsPin === undefined ? 'a certificate it should have' : 'the key of tls-pin';
    this.#find('tls', 'good', `${socket.getProtocol()} with ${socket.getCipher().name} and ${trust}`);
  }

  /** What happens to a client with an old hello, whose STARTTLS the backend has answered already. */
  async #passOnStarttls(conversation: Conversation, ehlo: Reply): Promise<void> {
    const answer = offered(ehlo, 'STARTTLS') && (await conversation.ask('STARTTLS'));
    if (answer === undefined) this.#find('tls', 'bad', 'it does not offer STARTTLS', 'starttls');
    else if ('silence' in answer) this.#find('tls', 'bad', 'it is silent after STARTTLS', 'starttls');
    else if (answer.reply.code !== 220) {
      this.#find('tls', 'bad', `it answers STARTTLS with ${quote(answer.reply)}`, 'starttls');
    } else {
      const secured = await secure(this.#plan, conversation.leave());
      if ('error' in secured) {
        const { reason, message } = secured.error;
        this.#find('tls', 'bad', message, this.#meaningOf(reason).topic);
      } else {
        this.#sees(secured.channel);
        await new Conversation(secured.channel, NOTHING, this.#patience).quit();
      }
    }
  }

  #find(check: CheckName, verdict: Verdict, message: string, topic?: AdviceTopic): void {
    const subject = `backend ${this.#config.name}, ${this.#leg.name}`;
    const advice = topic === undefined ? [] : advise(topic, this.#server, this.#us);
    this.findings.push({ check, subject, verdict, message, advice });
  }
}

/** Which of our addresses the backend sees; a UDP socket finds out without sending anything. */
function localAddress({ address: { host, port } }: BackendConfig): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
    const end = (address: string | undefined): void => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => end(undefined));
    socket.connect(port, host, () => end(socket.address().address));
  });
}

type Opened = { readonly channel: SocketChannel; readonly said: Buffer } | { readonly error: BackendError };

function open(plan: BackendPlan, security: Leg['security'], patience: number): Promise<Opened> {
  return new Promise((resolve) => {
    const config = { ...plan.config, connectTimeout: Math.min(plan.config.connectTimeout, patience) };
    openBackendSession({ ...plan, config }, PROBE, security, {
      ready: (channel, said) => resolve({ channel, said }),
      failed: (error) => resolve({ error }),
    });
  });
}

function secure(plan: BackendPlan, channel: SocketChannel): Promise<Opened> {
  return new Promise((resolve) => {
    plan.tls!.secure(channel, {
      secured: (secured) => resolve({ channel: secured, said: NOTHING }),
      failed: (error) => resolve({ error }),
    });
  });
}

/** Who reads a PROXY header does not greet behind one that says nothing of the kind (PROXY protocol, 2). */
function refusesBrokenHeader({ address, identity }: BackendConfig, patience: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: patience });
    const end = (refused: boolean): void => {
      socket.destroy();
      resolve(refused);
    };
    socket.once('connect', () => socket.write(identity === 'proxy-v1' ? BROKEN_V1 : BROKEN_V2));
    socket.once('data', (bytes: Buffer) => end(!bytes.toString('latin1').startsWith('220')));
    socket.once('close', () => end(true));
    socket.once('timeout', () => end(true));
    socket.on('error', () => end(true));
  });
}

function isPositive(answer: { readonly reply: Reply } | { readonly silence: Silence }): boolean {
  return 'reply' in answer && answer.reply.code >= 200 && answer.reply.code < 300;
}

function quote(reply: Reply): string {
  return `"${sanitizePeerText(lastLine(reply))}"`;
}

/** TEST-NET-1 (RFC 5737): nobody has this address, so nobody is trusted by it. */
const CLAIMED = '192.0.2.25';
const PROBE: ClientIdentity = {
  connection: 'check',
  source: { address: CLAIMED, port: 2525 },
  destination: { address: '192.0.2.1', port: 25 },
};
const PROBE_NAME = 'oldhello-check';
/** example.org is reserved (RFC 2606); no server has mail for a name below it. */
const FOREIGN_DOMAIN = 'relay-test.example.org';
const BROKEN_V1 = Buffer.from('PROXY TCP4 broken\r\n');
/** A version that does not exist. */
const BROKEN_V2 = Buffer.from('0d0a0d0a000d0a515549540a3111000c000000000000000000000000', 'hex');
const NOTHING = Buffer.alloc(0);
