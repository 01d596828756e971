/** Which blocks of the code under test have run, as V8 counts them: what makes one damaged input better than another. */
import { Session, type Profiler } from 'node:inspector';

export class Coverage {
  readonly #session = new Session();
  readonly #isOfInterest: (url: string) => boolean;

  /** @param isOfInterest of a script's URL */
  constructor(isOfInterest: (url: string) => boolean) {
    this.#isOfInterest = isOfInterest;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** The blocks that ran since the last call; takes some 10 ms. */
  take(): Set<string> {
    const blocks = new Set<string>();
    for (const { url, functions } of this.#scripts()) {
      if (!this.#isOfInterest(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) blocks.add(`${url}:${startOffset}-${endOffset}`);
        }
      }
    }
    return blocks;
  }

  stop(): void {
    this.#session.disconnect();
  }

  /** The session answers before `post` returns. */
  #scripts(): Profiler.ScriptCoverage[] {
    let scripts: Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error;
      scripts = result;
    });
    return scripts;
  }
}
