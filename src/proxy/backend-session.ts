/** From nothing to a backend that is ready for SMTP: TCP, who the client is, and where asked for, TLS of its own. */
import type { BackendConfig } from '../config/schema.js';
import { escape } from '../observe/session-record.js';
import { StarttlsDialogue } from '../smtp/starttls-dialogue.js';
import { dialBackend, type ClientIdentity } from './backend.js';
import { BackendError } from './backend-error.js';
import type { BackendTls } from './backend-tls.js';
import { NO_HANDLER, type SocketChannel } from './channel.js';

export interface BackendPlan {
  readonly config: BackendConfig;
  /** Undefined where `tls = "none"`. */
  readonly tls: BackendTls | undefined;
  /** What we call ourselves. */
  readonly hostname: string;
}

export interface SessionHandler {
  /** The channel is paused; `greeting` is what the backend has said already, to be taken as its first bytes. */
  ready(channel: SocketChannel, greeting: Buffer): void;
  failed(error: BackendError): void;
}

/**
 * @param security when TLS towards the backend begins: never, at once, or after a STARTTLS of ours
 * @returns a function that gives up on the attempt, if it still runs
 */
export function openBackendSession(
  { config, tls, hostname }: BackendPlan,
  identity: ClientIdentity,
  security: 'none' | 'implicit' | 'starttls',
  handler: SessionHandler,
): () => void {
  let cancel: () => void = () => undefined;
  const secure = (channel: SocketChannel, greeting: Buffer): void => {
    cancel = tls!.secure(channel, {
      secured: (secured) => handler.ready(secured, greeting),
      failed: (error) => handler.failed(error),
    });
  };
  cancel = dialBackend(config, identity, {
    connected: (channel) => {
      cancel = () => channel.destroy();
      if (security === 'none') handler.ready(channel, NOTHING);
      else if (security === 'implicit') secure(channel, NOTHING);
      else
        askForTls(channel, config, hostname, {
          ...handler,
          secure: (greeting) => secure(channel, greeting),
        });
    },
    failed: (error) => handler.failed(error),
  });
  return () => cancel();
}

interface AskHandler extends SessionHandler {
  secure(greeting: Buffer): void;
}

function askForTls(
  channel: SocketChannel,
  config: BackendConfig,
  hostname: string,
  handler: AskHandler,
): void {
  const fail = (error: BackendError): void => {
    channel.handler = NO_HANDLER;
    channel.destroy();
    handler.failed(error);
  };
  const dialogue = new StarttlsDialogue(hostname, {
    toBackend: (bytes) => void channel.write(bytes),
    ready: (greeting) => handler.secure(greeting),
    rejected: (greeting) => {
      channel.pause();
      handler.ready(channel, greeting);
    },
    failed: (reason, detail) => fail(new BackendError(reason, config, detail === '' ? '' : escape(detail))),
  });
  const gone = (why: string): void => fail(new BackendError('backend_unreachable', config, why));
  channel.handler = {
    data: (bytes) => dialogue.fromBackend(bytes),
    drain: () => undefined,
    end: () => gone('it closed the connection before TLS'),
    closed: (error) => gone(error?.message ?? 'it closed the connection before TLS'),
  };
  channel.resume();
}

const NOTHING = Buffer.alloc(0);
