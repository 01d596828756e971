/** One test connection to a backend: connect, and with SMTP wait for the greeting, QUIT. */
import { passesTlsOn } from '../../config/passthrough.js';
import type { BackendConfig, ListenerConfig } from '../../config/schema.js';
import { sanitizePeerText } from '../../observe/sanitize.js';
import { encodeProxyV1 } from '../../proxy-protocol/v1.js';
import { encodeProxyV2 } from '../../proxy-protocol/v2.js';
import type { HealthReplies } from '../../smtp/learnt-replies.js';
import type { Reply } from '../../smtp/reply.js';
import { NO_HANDLER } from '../transport/channel.js';
import { connectSocket, type SocketChannel } from '../transport/socket-channel.js';
import { learnReplies } from './learn-replies.js';
import { readReplies } from './read-replies.js';
import { endAndClose, quitAndClose, type BackendPlan } from './open-session.js';
import type { BackendTarget } from './target.js';

export interface TrialKind {
  /** Whether TLS comes first at this backend. */
  readonly implicit: boolean;
  readonly smtp: boolean;
}

/** What a client of this backend would begin with. */
export function trialKind({ name, tls }: BackendConfig, listeners: readonly ListenerConfig[]): TrialKind {
  const modes = listeners.flatMap(({ backend, mode }) => (backend === name ? [mode] : []));
  const implicit = passesTlsOn(tls) ? !modes.includes('starttls') : tls === 'implicit';
  return { implicit, smtp: modes.length === 0 || modes.some((mode) => mode !== 'tcp') };
}

/**
 * @param learnt called later with what else the backend replied, where that is wanted
 * @returns why it is not ready for clients; undefined where it is
 */
export function tryBackend(
  plan: BackendPlan,
  target: BackendTarget,
  { implicit, smtp }: TrialKind,
  learnt: (replies: HealthReplies) => void = () => undefined,
  timeoutMs: number = HEALTH_TIMEOUT_MS,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let cancel: () => void = () => undefined;
    const finish = (failure?: string): void => {
      clearTimeout(timer);
      resolve(failure);
    };
    const timer = setTimeout(() => {
      cancel();
      finish(`no ${smtp ? 'greeting' : 'connection'} within ${timeoutMs / 1000} s`);
    }, timeoutMs);
    const connected = (channel: SocketChannel): void => {
      cancel = () => channel.destroy();
      if (!smtp) {
        endAndClose(channel);
        finish();
        return;
      }
      awaitGreeting(channel, finish, (greeting) => {
        if (plan.learnt === undefined) quitAndClose(channel);
        else learnReplies(channel, greeting, plan.hostname, learnt);
      });
    };
    cancel = connectSocket(target.address, {
      connected: (channel) => {
        writeLocalHeader(channel, plan);
        if (!implicit) connected(channel);
        else {
          cancel = plan.tls!.secure(channel, target, {
            secured: connected,
            failed: (error) => finish(error.message),
          });
        }
      },
      failed: (error) => finish(error.message),
    });
  });
}

/**
 * LOCAL (UNKNOWN in version 1): a connection of the proxy itself, so the backend records no client (PROXY protocol, 2).
 */
function writeLocalHeader(channel: SocketChannel, { config }: BackendPlan): void {
  if (config.identity === 'proxy-v2') channel.write(encodeProxyV2({ command: 'LOCAL' }));
  if (config.identity === 'proxy-v1') channel.write(encodeProxyV1({ command: 'UNKNOWN' }));
}

function awaitGreeting(
  channel: SocketChannel,
  finish: (failure?: string) => void,
  greeted: (greeting: Reply) => void,
): void {
  const fail = (failure: string): void => {
    channel.handler = NO_HANDLER;
    channel.destroy();
    finish(failure);
  };
  readReplies(channel, {
    reply: (read) => {
      if ('violation' in read) fail('it sends something that is not SMTP');
      else if (read.reply.code !== 220) {
        fail(`it greets with ${sanitizePeerText(read.reply.lines[0]!.toString('latin1').trim())}`);
      } else {
        greeted(read.reply);
        finish();
      }
    },
    end: () => fail('it closes the connection without a greeting'),
    closed: (error) => fail(error?.message ?? 'it closes the connection without a greeting'),
  });
  channel.resume();
}

/** If a greeting comes later, clients give up. */
export const HEALTH_TIMEOUT_MS = 20_000;
