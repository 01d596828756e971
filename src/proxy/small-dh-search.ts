/** The search for the 1024-bit group, which takes seconds the first time; until then DHE has its 2048-bit group only. */
import { loadSmallDhGroup } from '../credentials/small-dh-group.js';
import type { Log } from '../observe/log.js';
import type { DhGroup } from '../tls/index.js';

export class SmallDhSearch {
  readonly #log: Log;
  readonly #found: (group: DhGroup) => void;
  readonly #load: typeof loadSmallDhGroup;
  #running = false;

  /** @param found called later, once for each search */
  constructor(log: Log, found: (group: DhGroup) => void, load = loadSmallDhGroup) {
    this.#log = log;
    this.#found = found;
    this.#load = load;
  }

  /** One search at a time: a prime takes all of a processor. @param directory where the group is kept */
  async start(directory: string): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      this.#found(await this.#load(directory));
    } catch (error) {
      this.#log('internal_error', { error: String(error) });
    }
    this.#running = false;
  }
}
