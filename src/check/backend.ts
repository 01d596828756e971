/**
 * Connects to a backend as the mail of clients does, claims an address that belongs to nobody, and checks how the
 * backend treats it. No message is ever sent: each transaction ends before DATA.
 */
import { TLSSocket } from 'node:tls';
import type { BackendConfig } from '../config/schema.js';
import { connectProblem } from '../net/connect-error.js';
import { sanitizePeerText } from '../observe/sanitize.js';
import type { BackendError, BackendFailure } from '../proxy/backend/backend-error.js';
import type { BackendPlan } from '../proxy/backend/open-session.js';
import type { BackendTarget } from '../proxy/backend/target.js';
import { SocketChannel } from '../proxy/transport/socket-channel.js';
import { offered } from '../smtp/ehlo-reply.js';
import { wholeReply, type Reply } from '../smtp/reply.js';
import { advise, recognize } from './advice.js';
import { CLAIMED_ADDRESS, openClaimedSession, secure } from './claimed-session.js';
import { bridgedDaneFindings } from './dane.js';
import type { DeliveryPath } from './delivery-paths.js';
import type { Finding } from './finding.js';
import { firstLine } from './first-line.js';
import { checkIdentity, checkTrust } from './identity.js';
import { localAddress } from './local-address.js';
import { checkRelay } from './open-relay.js';
import { PathFindings, quote } from './path-findings.js';
import { identityTopic, meaningOf } from './session-failure.js';
import { SmtpClient, type NoReply } from './smtp-client.js';

/** @param timeoutMs milliseconds for each step */
export async function checkDeliveryPath(
  plan: BackendPlan,
  target: BackendTarget,
  path: DeliveryPath,
  timeoutMs: number,
): Promise<Finding[]> {
  const check = new PathCheck(plan, target, path, timeoutMs);
  await check.run();
  return check.found.list;
}

class PathCheck {
  readonly found: PathFindings;
  readonly #plan: BackendPlan;
  readonly #target: BackendTarget;
  readonly #path: DeliveryPath;
  readonly #timeoutMs: number;

  constructor(plan: BackendPlan, target: BackendTarget, path: DeliveryPath, timeoutMs: number) {
    this.found = new PathFindings(plan.config, target, path);
    this.#plan = plan;
    this.#target = target;
    this.#path = path;
    this.#timeoutMs = timeoutMs;
  }

  get #headed(): boolean {
    return this.#config.identity.startsWith('proxy-');
  }

  get #config(): BackendConfig {
    return this.#plan.config;
  }

  async run(): Promise<void> {
    this.found.us = (await localAddress(this.#target.address)) ?? this.found.us;
    const opened = await openClaimedSession(this.#plan, this.#target, this.#path, this.#timeoutMs);
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
      this.found.server = recognize(wholeReply(greeting.reply).toString('latin1'));
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
      this.found.add('connection', 'bad', message, undefined, [this.#headed ? EXPECT_HEADER : SEND_HEADER]);
      return;
    }
    const what =
      first === 'silence' ? 'it waits for its client' : `it begins with "${sanitizePeerText(first)}"`;
    this.found.add('connection', 'good', what);
    const observed = `mode = "tcp" reads nothing; look for ${CLAIMED_ADDRESS} in its log at this time`;
    if (this.#headed) this.found.add('observed', 'unknown', observed);
  }

  // ---- before SMTP ----

  #notOpened({ reason, message, code }: BackendError): void {
    const { check, topic } = meaningOf(reason, this.#config.identity);
    const problem = connectProblem(code, this.#target.address);
    if (problem === undefined) this.found.add(check, 'bad', message, topic, MORE_ADVICE[reason] ?? []);
    else {
      const listening = code === 'ECONNREFUSED' ? advise('listening', undefined, this.found.us) : [];
      this.found.add(check, 'bad', `${message}: ${problem.meaning}`, undefined, [
        problem.remedy,
        ...listening,
      ]);
    }
    for (const unseen of this.#path.smtp ? (['identity', 'relay'] as const) : []) {
      if (unseen !== check) this.found.add(unseen, 'unknown', 'could not be checked');
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
      this.found.add('connection', 'bad', message, 'no-header', died);
    } else {
      this.found.add(
        'identity',
        'bad',
        `${what} after the client's address was sent with ${identity}: it does not expect that, or it crashed`,
        identityTopic(this.#config.identity),
        died,
      );
    }
    this.found.add('relay', 'unknown', 'could not be checked');
  }

  /** Either the backend refuses the claimed client, or it does not expect what was sent before the greeting. */
  #turnedAway(reply: Reply): void {
    const { identity } = this.#config;
    const expected = this.#headed ? `does not expect a header of ${identity}` : 'waits for a PROXY header';
    const message = `it greets with ${quote(reply)}: it refuses ${this.found.stranger}, or ${expected}`;
    this.found.add('connection', 'bad', message, identityTopic(this.#config.identity));
    this.found.add('relay', 'unknown', 'could not be checked');
  }

  // ---- in SMTP ----

  async #greeted(channel: SocketChannel, client: SmtpClient): Promise<void> {
    this.found.add(
      'connection',
      'good',
      this.found.server === undefined ? 'it sends a greeting' : `${this.found.server} sends a greeting`,
    );
    this.#sees(channel);
    const ehlo = await client.ask(`EHLO ${this.#plan.hostname}`);
    if ('noReply' in ehlo || ehlo.reply.code !== 250) {
      const words = 'noReply' in ehlo ? 'it does not reply to EHLO' : `it replies ${quote(ehlo.reply)}`;
      const { identity } = this.#config;
      this.found.add(
        'identity',
        'bad',
        `${words}: it does not expect ${identity}, and reads it as SMTP`,
        identityTopic(this.#config.identity),
      );
      this.found.add('relay', 'unknown', 'could not be checked');
      return;
    }
    await checkIdentity(ehlo.reply, this.#target, this.found, this.#timeoutMs);
    checkTrust(ehlo.reply, this.found);
    await checkRelay(client, this.#plan, this.found);
    if (this.#path.bridged) await this.#passOnStarttls(client, ehlo.reply);
  }

  // ---- TLS of the backend's own ----

  #sees(channel: SocketChannel): void {
    const socket = channel instanceof SocketChannel ? channel.socket : undefined;
    if (!(socket instanceof TLSSocket)) return;
    this.found.add(
      'tls',
      'good',
      `${socket.getProtocol()} with ${socket.getCipher().name} and ${this.#trusted}`,
    );
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined || !this.#path.bridged || this.#config.modern === 'terminate') return;
    const subject = `backend ${this.#config.name}`;
    this.found.list.push(...bridgedDaneFindings(subject, this.#plan.hostname, certificate));
  }

  get #trusted(): string {
    const { tls, tlsPin } = this.#config;
    if (tls === 'observe') return 'a certificate that only its clients verify';
    return tlsPin === undefined ? 'a valid certificate' : 'the key of tls-pin';
  }

  /** STARTTLS of an old client with tls = "bridge", which the backend has already answered. */
  async #passOnStarttls(client: SmtpClient, ehlo: Reply): Promise<void> {
    const answer = offered(ehlo, 'STARTTLS') && (await client.ask('STARTTLS'));
    if (answer === undefined) this.found.add('tls', 'bad', 'it does not offer STARTTLS', 'starttls');
    else if ('noReply' in answer) this.found.add('tls', 'bad', 'it does not reply to STARTTLS', 'starttls');
    else if (answer.reply.code !== 220) {
      this.found.add('tls', 'bad', `it replies to STARTTLS with ${quote(answer.reply)}`, 'starttls');
    } else {
      const secured = await secure(this.#plan, this.#target, client.leave(), this.#timeoutMs);
      if ('error' in secured) {
        const { reason, message } = secured.error;
        this.found.add('tls', 'bad', message, meaningOf(reason, this.#config.identity).topic);
      } else {
        this.#sees(secured.channel);
        await new SmtpClient(secured.channel, secured.said, this.#timeoutMs).quit();
      }
    }
  }
}

const EXPECT_HEADER =
  'let it expect the PROXY protocol from oldhello (Dovecot: haproxy = yes and haproxy_trusted_networks; nginx: listen … proxy_protocol), or set identity = "none"';
const SEND_HEADER = 'if it expects the PROXY protocol, set identity = "proxy-v2" or "proxy-v1"';
const DIED =
  'if that is set: read its log at this time. A server that crashes logs the reason (Postfix, "fatal: no SASL authentication mechanisms": set smtpd_sasl_type and smtpd_sasl_path)';
const SLOW =
  'or find out why it is slow (name lookups, load). A server that waits for TLS from the first byte needs tls = "implicit"';
const MORE_ADVICE: Readonly<Partial<Record<BackendFailure, readonly string[]>>> = {
  backend_closed: [DIED],
  backend_greeting_timeout: [SLOW],
};
