/** The findings of one delivery path, with advice for the mail server that was recognised at its end. */
import type { BackendConfig } from '../config/schema.js';
import { sanitizePeerText } from '../observe/sanitize.js';
import { targetText, type BackendTarget } from '../proxy/backend/target.js';
import { lastLine, type Reply } from '../smtp/reply.js';
import { advise, type AdviceTopic, type MailServer } from './advice.js';
import { CLAIMED_ADDRESS } from './claimed-session.js';
import type { DeliveryPath } from './delivery-paths.js';
import type { CheckName, Finding, Verdict } from './finding.js';

export class PathFindings {
  readonly list: Finding[] = [];
  /** Undefined until it is recognised. */
  server: MailServer | undefined;
  /** The address that oldhello connects from. */
  us = 'the address of oldhello';
  readonly #config: BackendConfig;
  readonly #subject: string;

  constructor(config: BackendConfig, target: BackendTarget, { name }: DeliveryPath) {
    const at = config.address.length > 1 ? ` at ${targetText(target)}` : '';
    this.#config = config;
    this.#subject = `backend ${config.name}${at}, ${name}`;
  }

  /** The client, from the view of the backend. */
  get stranger(): string {
    return this.#config.identity === 'none' ? `all clients of ${this.us}` : CLAIMED_ADDRESS;
  }

  add(
    check: CheckName,
    verdict: Verdict,
    message: string,
    topic?: AdviceTopic,
    more: readonly string[] = [],
  ): void {
    const advice = [...(topic === undefined ? [] : advise(topic, this.server, this.us)), ...more];
    this.list.push({ check, subject: this.#subject, verdict, message, advice, key: KEYS[check] });
  }
}

export function quote(reply: Reply): string {
  return `"${sanitizePeerText(lastLine(reply))}"`;
}

/** The key of the [[backend]] for a finding; otherwise `address`. */
const KEYS: Readonly<Partial<Record<CheckName, string>>> = {
  identity: 'identity',
  trust: 'identity',
  tls: 'tls',
};
