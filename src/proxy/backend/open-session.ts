/**
 * Opens a backend session: TCP, the client's identity, and, if configured, TLS to the backend. A PROXY header is sent
 * before TLS, XCLIENT inside TLS, so that only a verified backend gets it.
 */
import type { BackendConfig } from '../../config/schema.js';
import type { Log } from '../../observe/log.js';
import { sanitizePeerText } from '../../observe/sanitize.js';
import type { DialogueOutput } from '../../smtp/dialogue.js';
import type { LearntReplies } from '../../smtp/learnt-replies.js';
import { StarttlsDialogue } from '../../smtp/starttls-dialogue.js';
import { TrustDialogue } from '../../smtp/trust-dialogue.js';
import { XclientDialogue } from '../../smtp/xclient.js';
import type { AddressBook } from './address-book.js';
import { dialBackend, type ClientIdentity } from './dial.js';
import { BackendError, type BackendFailure } from './backend-error.js';
import type { BackendTls } from './backend-tls.js';
import type { BackendTarget } from './target.js';
import { NO_HANDLER } from '../transport/channel.js';
import type { SocketChannel } from '../transport/socket-channel.js';

export interface BackendPlan {
  readonly config: BackendConfig;
  /** Undefined where `tls = "none"`. */
  readonly tls: BackendTls | undefined;
  /** Our host name in EHLO and in replies. */
  readonly hostname: string;
  readonly log: Log;
  /** Replies for the next client; undefined if every session is live. */
  readonly learnt: LearntReplies | undefined;
  /** Of the process. */
  readonly addresses: AddressBook;
  /** Milliseconds for all addresses together to greet. */
  readonly greetingTimeout: number;
}

export interface SessionHandler {
  /**
   * The channel is paused; `greeting` has the bytes that the backend has already sent. If they are a refusal, no bytes
   * of the client may be sent.
   */
  readonly ready: (channel: SocketChannel, greeting: Buffer, target: BackendTarget) => void;
  readonly failed: (error: BackendError) => void;
}

export interface SessionStart {
  /** When TLS towards the backend begins: never, at once, or after a STARTTLS of ours. */
  readonly security: 'none' | 'implicit' | 'starttls';
  /** Whether the protocol is SMTP. With others, nothing is sent before the client's first byte. */
  readonly smtp: boolean;
}

export interface SessionOptions extends SessionStart {
  readonly identity: ClientIdentity;
  readonly connectTimeoutMs: number;
  /** Called first, when there is a TCP connection. */
  readonly connected?: () => void;
}

/**
 * At one address of the backend.
 * @param connectTimeoutMs for the TCP connection
 * @returns a function that gives up on the attempt, if it still runs
 */
export function openSessionAt(
  plan: BackendPlan,
  target: BackendTarget,
  { identity, security, smtp, connectTimeoutMs, connected }: SessionOptions,
  { ready, failed }: SessionHandler,
): () => void {
  const { config, tls, hostname, log } = plan;
  let cancel: () => void = () => undefined;
  const opened = (channel: SocketChannel, greeting: Buffer): void => ready(channel, greeting, target);

  const identify = (channel: SocketChannel, greeting: Buffer): void => {
    // With a PROXY header the backend already has the client's address.
    if (config.identity === 'proxy-v1' || config.identity === 'proxy-v2' || !smtp) {
      opened(channel, greeting);
      return;
    }
    cancel = () => abandon(channel);
    const dialogue = runDialogue(channel, target, { ready: opened, rejected: opened, failed }, (output) => {
      return config.identity === 'xclient'
        ? new XclientDialogue(hostname, identity, output)
        : new TrustDialogue(hostname, output);
    });
    if (greeting.length > 0) dialogue.startWithEhlo(greeting);
  };
  const secure = (channel: SocketChannel, greeting: Buffer): void => {
    cancel = tls!.secure(channel, target, { secured: (secured) => identify(secured, greeting), failed });
  };
  cancel = dialBackend(target, identity, log, connectTimeoutMs, {
    connected: (channel) => {
      cancel = () => abandon(channel);
      connected?.();
      if (security === 'none') identify(channel, NOTHING);
      else if (security === 'implicit') secure(channel, NOTHING);
      else {
        runDialogue(channel, target, { ready: secure, rejected: opened, failed }, (output) => {
          return new StarttlsDialogue(hostname, output);
        });
      }
    },
    failed,
  });
  return () => cancel();
}

/** Detaches the handler first: a caller that gave up must not get closed(). */
export function abandon(channel: SocketChannel): void {
  channel.handler = NO_HANDLER;
  channel.destroy();
}

/** RFC 3207, 4.2: the server must forget this session. So it ends here, with QUIT, which no MTA logs as an error. */
export function quitAndClose(channel: SocketChannel): void {
  channel.write(QUIT);
  endAndClose(channel);
}

/** Reads until the backend has closed too: a reset could be taken for a failure. */
export function endAndClose(channel: SocketChannel): void {
  channel.handler = { ...NO_HANDLER, end: () => channel.destroy() };
  channel.end();
  channel.resume();
  setTimeout(() => channel.destroy(), QUIT_TIMEOUT_MS).unref();
}

interface DialogueHandler {
  ready(channel: SocketChannel, greeting: Buffer): void;
  rejected(channel: SocketChannel, greeting: Buffer): void;
  failed(error: BackendError): void;
}

/** Runs our own SMTP dialogue on a channel. */
function runDialogue<D extends { fromBackend(bytes: Buffer): void }>(
  channel: SocketChannel,
  target: BackendTarget,
  handler: DialogueHandler,
  start: (output: DialogueOutput<BackendFailure>) => D,
): D {
  const leave = (): void => {
    channel.pause();
    channel.handler = NO_HANDLER;
  };
  const fail = (reason: BackendFailure, detail: string): void => {
    abandon(channel);
    handler.failed(new BackendError(reason, target, detail));
  };
  const dialogue = start({
    toBackend: (bytes) => channel.write(bytes),
    ready: (greeting) => {
      leave();
      handler.ready(channel, greeting);
    },
    rejected: (greeting) => {
      leave();
      handler.rejected(channel, greeting);
    },
    failed: (reason, detail) => fail(reason, detail === '' ? '' : sanitizePeerText(detail)),
  });
  const gone = (why: string): void => fail('backend_closed', why);
  channel.handler = {
    ...NO_HANDLER,
    data: (bytes) => dialogue.fromBackend(bytes),
    end: () => gone(CLOSED_EARLY),
    closed: (error) => gone(error?.message ?? CLOSED_EARLY),
  };
  channel.resume();
  return dialogue;
}

const NOTHING = Buffer.alloc(0);
const QUIT = Buffer.from('QUIT\r\n');
/** For a backend to close after QUIT, or after we did. */
const QUIT_TIMEOUT_MS = 10_000;
const CLOSED_EARLY = 'it closed the connection while oldhello prepared the session';
