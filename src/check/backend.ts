/**
 * Connects to a backend as the mail of clients does, claims an address that belongs to nobody, and checks how the
 * backend treats it. No message is ever sent: each transaction ends before DATA.
 */
import { createSocket } from 'node:dgram';
import { connect, isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { BackendConfig } from '../config/schema.js';
import { isUnixAddress, type BackendAddress } from '../net/backend-address.js';
import { connectProblem } from '../net/connect-error.js';
import { sanitizePeerText } from '../observe/sanitize.js';
import type { ClientIdentity } from '../proxy/backend/dial.js';
import type { BackendError, BackendFailure } from '../proxy/backend/backend-error.js';
import { openSessionAt, type BackendPlan } from '../proxy/backend/open-session.js';
import { targetText, type BackendTarget } from '../proxy/backend/target.js';

import { SocketChannel } from '../proxy/transport/socket-channel.js';
import { offered } from '../smtp/ehlo-reply.js';
import { lastLine, wholeReply, type Reply } from '../smtp/reply.js';
import { bridgedDaneFindings } from './dane.js';
import { advise, recognize, type AdviceTopic, type MailServer } from './advice.js';
import { firstLine } from './first-line.js';
import { SmtpClient, type NoReply } from './smtp-client.js';
import type { CheckName, Finding, Verdict } from './finding.js';
import type { DeliveryPath } from './delivery-paths.js';

/** @param timeoutMs milliseconds for each step */
export async function checkDeliveryPath(
  plan: BackendPlan,
  target: BackendTarget,
  path: DeliveryPath,
  timeoutMs: number,
): Promise<Finding[]> {
  const check = new PathCheck(plan, target, path, timeoutMs);
  await check.run();
  return check.findings;
}

class PathCheck {
  readonly findings: Finding[] = [];
  readonly #plan: BackendPlan;
  readonly #target: BackendTarget;
  readonly #path: DeliveryPath;
  readonly #timeoutMs: number;
  #server: MailServer | undefined;
  /** The address that oldhello connects from. */
  #us = 'the address of oldhello';

  constructor(plan: BackendPlan, target: BackendTarget, path: DeliveryPath, timeoutMs: number) {
    this.#plan = plan;
    this.#target = target;
    this.#path = path;
    this.#timeoutMs = timeoutMs;
  }

  /** The client, from the view of the backend. */
  get #stranger(): string {
    return this.#config.identity === 'none' ? `all clients of ${this.#us}` : CLAIMED;
  }

  get #headed(): boolean {
    return this.#config.identity.startsWith('proxy-');
  }

  /** For a session that failed when the client's address was sent, or not sent. */
  get #identityAdvice(): AdviceTopic {
    const { identity } = this.#config;
    return identity === 'proxy-v1' || identity === 'proxy-v2' ? identity : 'no-header';
  }

  get #config(): BackendConfig {
    return this.#plan.config;
  }

  async run(): Promise<void> {
    this.#us = (await localAddress(this.#target.address)) ?? this.#us;
    const opened = await open(this.#plan, this.#target, this.#path, this.#timeoutMs);
    if ('error' in opened) {
      this.#notOpened(opened.error);
      return;
    }
    const { channel, said } = opened;
    if (!this.#path.smtp) {
      await this.#othersConnected(channel);
      return;
    }
    const client = new SmtpClient(channel, said, this.#timeoutMs);
    const greeting = await client.reply();
    if ('noReply' in greeting) this.#notGreeted(greeting.noReply);
    else {
      this.#server = recognize(wholeReply(greeting.reply).toString('latin1'));
      if (greeting.reply.code === 220) await this.#greeted(channel, client);
      else this.#turnedAway(greeting.reply);
    }
    await client.quit();
  }

  // ---- in another protocol ----

  /** A backend may wait for its client; one that takes what it was sent for something else closes. */
  async #othersConnected(channel: SocketChannel): Promise<void> {
    this.#sees(channel);
    const first = await firstLine(channel);
    const { identity } = this.#config;
    if (first === 'closed') {
      const message = this.#headed
        ? `it closes the connection after the client's address was given by ${identity}: it does not expect that`
        : 'it closes the connection; it may wait for a PROXY header';
      this.#find('connection', 'bad', message, undefined, [this.#headed ? EXPECT_HEADER : SEND_HEADER]);
      return;
    }
    const what =
      first === 'silence' ? 'it waits for its client' : `it begins with "${sanitizePeerText(first)}"`;
    this.#find('connection', 'good', what);
    const observed = `mode = "tcp" reads nothing; look for ${CLAIMED} in its log at this time`;
    if (this.#headed) this.#find('observed', 'unknown', observed);
  }

  // ---- before SMTP ----

  #notOpened({ reason, message, code }: BackendError): void {
    const { check, topic } = this.#meaningOf(reason);
    const problem = connectProblem(code, this.#target.address);
    if (problem === undefined)
      this.#find(check, 'bad', message, topic, reason === 'backend_closed' ? [DIED] : []);
    else {
      const listening = code === 'ECONNREFUSED' ? advise('listening', undefined, this.#us) : [];
      this.#find(check, 'bad', `${message}: ${problem.meaning}`, undefined, [problem.remedy, ...listening]);
    }
    for (const unseen of this.#path.smtp ? (['identity', 'relay'] as const) : []) {
      if (unseen !== check) this.#find(unseen, 'unknown', 'could not be checked');
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
      case 'backend_refused':
      case 'backend_changed':
      case 'backend_left':
        return { check: 'identity', topic: this.#identityAdvice };
      case 'backend_unreachable':
      case 'backend_no_descriptor':
      case 'backend_connect_timeout':
      case 'backend_greeting_timeout':
      case 'backend_reply_timeout':
      case 'backend_relay_risk':
        return { check: 'connection' };
    }
  }

  #notGreeted(noReply: NoReply): void {
    const what = {
      closed: 'it closes the connection',
      timeout: `it sends nothing for ${this.#timeoutMs / 1000} s`,
      broken: 'it sends something that is not SMTP',
    }[noReply];
    const died = noReply === 'closed' ? [DIED] : [];
    const { identity } = this.#config;
    if (identity === 'none') {
      const message = `${what}, and no greeting; it may wait for a PROXY header`;
      this.#find('connection', 'bad', message, 'no-header', died);
    } else {
      this.#find(
        'identity',
        'bad',
        `${what} after the client's address was sent with ${identity}: it does not expect that, or it crashed`,
        this.#identityAdvice,
        died,
      );
    }
    this.#find('relay', 'unknown', 'could not be checked');
  }

  /** Either the backend refuses the claimed client, or it does not expect what was sent before the greeting. */
  #turnedAway(reply: Reply): void {
    const { identity } = this.#config;
    const expected = this.#headed ? `does not expect a header of ${identity}` : 'waits for a PROXY header';
    const message = `it greets with ${quote(reply)}: it refuses ${this.#stranger}, or ${expected}`;
    this.#find('connection', 'bad', message, this.#identityAdvice);
    this.#find('relay', 'unknown', 'could not be checked');
  }

  // ---- in SMTP ----

  async #greeted(channel: SocketChannel, client: SmtpClient): Promise<void> {
    this.#find(
      'connection',
      'good',
      this.#server === undefined ? 'it sends a greeting' : `${this.#server} sends a greeting`,
    );
    this.#sees(channel);
    const ehlo = await client.ask(`EHLO ${this.#plan.hostname}`);
    if ('noReply' in ehlo || ehlo.reply.code !== 250) {
      const words = 'noReply' in ehlo ? 'it does not reply to EHLO' : `it replies ${quote(ehlo.reply)}`;
      const { identity } = this.#config;
      this.#find(
        'identity',
        'bad',
        `${words}: it does not expect ${identity}, and reads it as SMTP`,
        this.#identityAdvice,
      );
      this.#find('relay', 'unknown', 'could not be checked');
      return;
    }
    await this.#identity(ehlo.reply);
    this.#trust(ehlo.reply);
    await this.#relay(client);
    if (this.#path.bridged) await this.#passOnStarttls(client, ehlo.reply);
  }

  async #identity(ehlo: Reply): Promise<void> {
    const { identity } = this.#config;
    if (identity === 'none') {
      this.#find(
        'identity',
        'good',
        `for the backend every client is ${this.#us}, because of identity = "none"`,
      );
      return;
    }
    const hello = sanitizePeerText(ehlo.lines[0]!.toString('latin1').trimEnd());
    if (hello.includes(this.#us) && !hello.includes(CLAIMED)) {
      this.#find('identity', 'bad', `for the backend the client is ${this.#us}: "${hello}"`, identity);
      return;
    }
    this.#find('identity', 'good', `it accepts ${identity}`);
    if (hello.includes(CLAIMED)) {
      this.#find('observed', 'good', `it shows the claimed address: "${hello}"`);
    } else if (identity === 'xclient') {
      const gone = offered(ehlo, 'XCLIENT') === undefined;
      if (gone) this.#find('observed', 'good', `it offered XCLIENT to ${this.#us}, but not to ${CLAIMED}`);
    } else if (await refusesBrokenHeader(this.#target, this.#timeoutMs)) {
      this.#find(
        'observed',
        'good',
        `it reads the header, because it rejects a damaged one; to be sure, look for ${CLAIMED} in its log at this time`,
      );
    } else {
      this.#find(
        'observed',
        'unknown',
        `its replies show no address; look for ${CLAIMED} in its log at this time`,
      );
    }
  }

  #trust(ehlo: Reply): void {
    const keywords = ['XCLIENT', 'XFORWARD'].filter((keyword) => offered(ehlo, keyword) !== undefined);
    if (keywords.length === 0)
      this.#find('trust', 'good', 'it offers neither XCLIENT nor XFORWARD to strangers');
    else {
      this.#find('trust', 'bad', `it allows ${keywords.join(' and ')} for ${this.#stranger}`, 'trust');
    }
  }

  async #relay(client: SmtpClient): Promise<void> {
    const { identity } = this.#config;
    let refusal: Reply | undefined;
    for (const sender of ['', `${PROBE_NAME}@${this.#plan.hostname}`]) {
      const mail = await client.ask(`MAIL FROM:<${sender}>`);
      const rcpt = isPositive(mail) ? await client.ask(`RCPT TO:<${PROBE_NAME}@${FOREIGN_DOMAIN}>`) : mail;
      if ('noReply' in rcpt) {
        this.#find('relay', 'unknown', 'it stopped replying during this check');
        return;
      }
      if (isPositive(rcpt)) {
        const message = `an open relay: it accepts mail of ${this.#stranger} from <${sender}> to <${PROBE_NAME}@${FOREIGN_DOMAIN}> (${quote(rcpt.reply)})`;
        this.#find('relay', 'bad', message, identity === 'none' ? 'relay-none' : 'relay');
        await client.ask('RSET');
        return;
      }
      refusal = rcpt.reply;
      await client.ask('RSET');
    }
    this.#find('relay', 'good', `it does not relay for ${this.#stranger}: ${quote(refusal!)}`);
  }

  // ---- TLS of the backend's own ----

  #sees(channel: SocketChannel): void {
    const socket = channel instanceof SocketChannel ? channel.socket : undefined;
    if (!(socket instanceof TLSSocket)) return;
    this.#find('tls', 'good', `${socket.getProtocol()} with ${socket.getCipher().name} and ${this.#trusted}`);
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined || !this.#path.bridged || this.#config.modern === 'terminate') return;
    const subject = `backend ${this.#config.name}`;
    this.findings.push(...bridgedDaneFindings(subject, this.#plan.hostname, certificate));
  }

  get #trusted(): string {
    const { tls, tlsPin } = this.#config;
    if (tls === 'observe') return 'a certificate that only its clients verify';
    return tlsPin === undefined ? 'a valid certificate' : 'the key of tls-pin';
  }

  /** STARTTLS of an old client with tls = "bridge", which the backend has already answered. */
  async #passOnStarttls(client: SmtpClient, ehlo: Reply): Promise<void> {
    const answer = offered(ehlo, 'STARTTLS') && (await client.ask('STARTTLS'));
    if (answer === undefined) this.#find('tls', 'bad', 'it does not offer STARTTLS', 'starttls');
    else if ('noReply' in answer) this.#find('tls', 'bad', 'it does not reply to STARTTLS', 'starttls');
    else if (answer.reply.code !== 220) {
      this.#find('tls', 'bad', `it replies to STARTTLS with ${quote(answer.reply)}`, 'starttls');
    } else {
      const secured = await secure(this.#plan, this.#target, client.leave());
      if ('error' in secured) {
        const { reason, message } = secured.error;
        this.#find('tls', 'bad', message, this.#meaningOf(reason).topic);
      } else {
        this.#sees(secured.channel);
        await new SmtpClient(secured.channel, NOTHING, this.#timeoutMs).quit();
      }
    }
  }

  #find(
    check: CheckName,
    verdict: Verdict,
    message: string,
    topic?: AdviceTopic,
    more: readonly string[] = [],
  ): void {
    const at = this.#config.address.length > 1 ? ` at ${targetText(this.#target)}` : '';
    const subject = `backend ${this.#config.name}${at}, ${this.#path.name}`;
    const advice = [...(topic === undefined ? [] : advise(topic, this.#server, this.#us)), ...more];
    this.findings.push({ check, subject, verdict, message, advice, key: KEYS[check] });
  }
}

/** Finds the local address that the backend will see; connecting a UDP socket sends nothing. */
function localAddress(address: BackendAddress): Promise<string | undefined> {
  if (isUnixAddress(address)) return Promise.resolve(undefined);
  const { host, port } = address;
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

function open(
  plan: BackendPlan,
  target: BackendTarget,
  path: DeliveryPath,
  timeoutMs: number,
): Promise<Opened> {
  return new Promise((resolve) => {
    const connectTimeoutMs = Math.min(plan.config.connectTimeout, timeoutMs);
    const options = { ...path, identity: PROBE, connectTimeoutMs };
    openSessionAt(plan, target, options, {
      ready: (channel, said) => resolve({ channel, said }),
      failed: (error) => resolve({ error }),
    });
  });
}

function secure(plan: BackendPlan, target: BackendTarget, channel: SocketChannel): Promise<Opened> {
  return new Promise((resolve) => {
    plan.tls!.secure(channel, target, {
      secured: (secured) => resolve({ channel: secured, said: NOTHING }),
      failed: (error) => resolve({ error }),
    });
  });
}

/** A backend that reads a PROXY header sends no greeting after a damaged one (PROXY protocol, 2). */
function refusesBrokenHeader({ address, backend }: BackendTarget, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: timeoutMs });
    const end = (refused: boolean): void => {
      socket.destroy();
      resolve(refused);
    };
    socket.once('connect', () => socket.write(backend.identity === 'proxy-v1' ? BROKEN_V1 : BROKEN_V2));
    socket.once('data', (bytes: Buffer) => end(!bytes.toString('latin1').startsWith('220')));
    socket.once('close', () => end(true));
    socket.once('timeout', () => end(true));
    socket.on('error', () => end(true));
  });
}

function isPositive(answer: { readonly reply: Reply } | { readonly noReply: NoReply }): boolean {
  return 'reply' in answer && answer.reply.code >= 200 && answer.reply.code < 300;
}

function quote(reply: Reply): string {
  return `"${sanitizePeerText(lastLine(reply))}"`;
}

/** TEST-NET-1 (RFC 5737): no host has this address, so no server trusts it. */
const CLAIMED = '192.0.2.25';
const PROBE: ClientIdentity = {
  connection: 'check',
  source: { address: CLAIMED, port: 2525 },
  destination: { address: '192.0.2.1', port: 25 },
};
/** The key of the [[backend]] for a finding; otherwise `address`. */
const KEYS: Readonly<Partial<Record<CheckName, string>>> = {
  identity: 'identity',
  trust: 'identity',
  tls: 'tls',
};
const EXPECT_HEADER =
  'let it expect the PROXY protocol from oldhello (Dovecot: haproxy = yes and haproxy_trusted_networks; nginx: listen … proxy_protocol), or set identity = "none"';
const SEND_HEADER = 'if it expects the PROXY protocol, set identity = "proxy-v2" or "proxy-v1"';
const DIED =
  'if that is set: read its log at this time. A server that crashes logs the reason (Postfix, "fatal: no SASL authentication mechanisms": set smtpd_sasl_type and smtpd_sasl_path)';
const PROBE_NAME = 'oldhello-check';
/** example.org is reserved (RFC 2606); no server has mail for a name below it. */
const FOREIGN_DOMAIN = 'relay-test.example.org';
const BROKEN_V1 = Buffer.from('PROXY TCP4 broken\r\n');
/** A version that does not exist. */
const BROKEN_V2 = Buffer.from('0d0a0d0a000d0a515549540a3111000c000000000000000000000000', 'hex');
const NOTHING = Buffer.alloc(0);
