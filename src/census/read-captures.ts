/** From captures to a report: reads every file once, in memory that does not grow. */
import { CaptureError } from '../capture/capture-format.js';
import { CaptureReader } from '../capture/capture-reader.js';
import { ipFinder } from '../capture/link-layer.js';
import { TcpConnections } from '../capture/tcp-connections.js';
import { addressText } from '../net/ip-address.js';
import { count } from '../report/format.js';
import type { ReadReport } from '../report/read-report.js';
import { readSource } from '../report/source.js';
import { Tally, type Period } from '../report/tally.js';
import { Conversation } from './conversation.js';

export interface CensusOptions {
  readonly period: Period;
  /** Ports of servers; empty for all. */
  readonly ports: ReadonlySet<number>;
  /** Gets the bytes of each chunk, as they are on disk. */
  readonly progress: (bytes: number) => void;
}

/** @throws SourceError for a file that cannot be read @throws CaptureError for one that is no capture */
export async function readCaptures(paths: readonly string[], options: CensusOptions): Promise<ReadReport> {
  const { period, ports, progress } = options;
  const tally = new Tally(period);
  const notes = new CaptureNotes();
  const damaged: { path: string; why: string }[] = [];
  const connections = new TcpConnections(({ timeMs, client, server }) => {
    if (ports.size > 0 && !ports.has(server.port)) return undefined;
    const time = new Date(timeMs).toISOString();
    return new Conversation(time, addressText(client.address), {
      connection: (connection) => tally.add({ kind: 'connection', connection }),
      helloMissing: () => notes.helloMissing(),
    });
  });
  for (const path of paths) {
    const why = await readCapture(
      path,
      (linkType, timeMs, frame) => {
        const find = ipFinder(linkType);
        const at = find?.(frame);
        if (find === undefined) notes.unknownLinkType(linkType);
        else if (at !== undefined) connections.push(timeMs, frame.subarray(at));
      },
      progress,
    );
    if (why !== undefined) damaged.push({ path, why });
  }
  connections.end();
  return { report: tally.report(0, notes.sentences()), damaged };
}

/** @returns what is wrong with the capture behind its beginning; the packets before were taken */
async function readCapture(
  path: string,
  take: (linkType: number, timeMs: number, frame: Buffer) => void,
  progress: (bytes: number) => void,
): Promise<string | undefined> {
  let packets = 0;
  let failure: CaptureError | undefined;
  const reader = new CaptureReader((linkType, timeMs, frame) => {
    packets += 1;
    take(linkType, timeMs, frame);
  });
  const attempt = (step: () => void): void => {
    if (failure !== undefined) return;
    try {
      step();
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      if (packets === 0) throw new CaptureError(`${path}: ${error.message}`);
      failure = error;
    }
  };
  const compression = await readSource(path, {
    take: (bytes) => attempt(() => reader.push(bytes)),
    read: progress,
  });
  attempt(() => reader.end());
  return compression ?? failure?.message;
}

/** What a capture holds and the report does not. */
class CaptureNotes {
  readonly #linkTypes = new Map<number, number>();
  #hellosMissing = 0;

  helloMissing(): void {
    this.#hellosMissing += 1;
  }

  unknownLinkType(type: number): void {
    this.#linkTypes.set(type, (this.#linkTypes.get(type) ?? 0) + 1);
  }

  sentences(): string[] {
    const sentences = [...this.#linkTypes].map(
      ([type, packets]) => `${count(packets, 'packet')} of the unknown link type ${type} could not be read.`,
    );
    if (this.#hellosMissing > 0) {
      const connections = count(this.#hellosMissing, 'connection');
      sentences.push(
        `${connections} could not be counted, because the capture lacks bytes (capture with -s 0).`,
      );
    }
    return sentences;
  }
}
