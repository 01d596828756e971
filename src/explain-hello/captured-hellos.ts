/** The ClientHellos of a packet capture, each with the connection it stood in, and what the capture lacks. */
import { CaptureError } from '../capture/capture-format.js';
import { CaptureReader } from '../capture/capture-reader.js';
import { ipFinder } from '../capture/link-layer.js';
import { TcpConnections, type Opened } from '../capture/tcp-connections.js';
import type { Endpoint } from '../capture/tcp-segment.js';
import { hostAndPort } from '../net/endpoint.js';
import { addressText } from '../net/ip-address.js';
import { ClientSide } from '../observe/tap/client-side.js';
import type { Accepted } from '../tls/index.js';

export interface CapturedHellos {
  readonly accepted: readonly Accepted[];
  /** Of each of them: when, from where and to where. */
  readonly origins: readonly string[];
  readonly notes: readonly string[];
}

/** @param max how many hellos are kept; the others are counted */
export function capturedHellos(capture: Buffer, max: number): CapturedHellos {
  const accepted: Accepted[] = [];
  const origins: string[] = [];
  const notes: string[] = [];
  const unknownLinks = new Set<number>();
  let more = 0;
  const connections = new TcpConnections((opened) => {
    const origin = originOf(opened);
    const fromClient = new ClientSide();
    return {
      fromClient,
      fromServer: UNREAD,
      get isDone() {
        return fromClient.accepted !== undefined || fromClient.sentMailInClear;
      },
      end() {
        const { accepted: found, hasGap, isInHello } = fromClient;
        if (found === undefined) {
          if (hasGap) notes.push(`${origin}: the capture lacks bytes before or in the hello (tcpdump -s 0)`);
          else if (isInHello) notes.push(`${origin}: the hello is cut, its end is not in the capture`);
        } else if (!HELLOS.has(found.kind)) {
          notes.push(`${origin}: no ClientHello where TLS should begin, but ${found.kind}`);
        } else if (accepted.length < max) {
          accepted.push(found);
          origins.push(origin);
        } else more += 1;
      },
    };
  });
  const reader = new CaptureReader((linkType, timeMs, frame) => {
    const find = ipFinder(linkType);
    const at = find?.(frame);
    if (find === undefined) unknownLinks.add(linkType);
    else if (at !== undefined) connections.push(timeMs, frame.subarray(at));
  });
  try {
    reader.push(capture);
    reader.end();
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    notes.push(`the capture is damaged or was cut: ${error.message}`);
  }
  connections.end();
  for (const type of unknownLinks) notes.push(`packets of the unknown link type ${type} could not be read`);
  if (more > 0) notes.push(`${more} more connections begin with a hello; "oldhello census" counts them all`);
  if (accepted.length === 0 && notes.length === 0) notes.push('there is no ClientHello in this capture');
  return { accepted, origins, notes };
}

function originOf({ timeMs, client, server }: Opened): string {
  return `${new Date(timeMs).toISOString()} ${endpointText(client)} to ${endpointText(server)}`;
}

function endpointText({ address, port }: Endpoint): string {
  return hostAndPort(addressText(address), port);
}

/** What is explained, if only why it cannot be read. */
const HELLOS: ReadonlySet<Accepted['kind']> = new Set(['client_hello', 'malformed', 'pure_sslv2']);
const UNREAD = { receive: (): void => undefined, gap: (): void => undefined };
