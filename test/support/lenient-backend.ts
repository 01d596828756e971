/** A mail server as a model: it reads lines and the end of content as leniently as some real ones do. */

export interface Leniency {
  /** What ends a line, in commands and content. */
  readonly lineEnd: RegExp;
  /** NUL in content counts as nothing. */
  readonly skipsNul: boolean;
  readonly chunking: boolean;
}

/** Bytes go in by `receive`; replies come out, one for each command and each end of content. */
export class LenientBackend {
  /** Verbs of all commands that it executed. */
  readonly executed: string[] = [];
  readonly #leniency: Leniency;
  readonly #reply: (text: string) => void;
  readonly #takesData: () => boolean;
  #pending = '';
  #inContent = false;
  #chunk = 0;
  #quit = false;

  constructor(leniency: Leniency, takesData: () => boolean, reply: (text: string) => void) {
    this.#leniency = leniency;
    this.#takesData = takesData;
    this.#reply = reply;
  }

  receive(bytes: Buffer): void {
    this.#pending += bytes.toString('latin1');
    while (this.#skipChunk() && !this.#quit) {
      const end = this.#leniency.lineEnd.exec(this.#pending);
      if (end === null) return;
      const line = this.#pending.slice(0, end.index);
      this.#pending = this.#pending.slice(end.index + end[0].length);
      this.#line(line);
    }
  }

  /** @returns false while bytes of a chunk are to come */
  #skipChunk(): boolean {
    const length = Math.min(this.#chunk, this.#pending.length);
    this.#pending = this.#pending.slice(length);
    this.#chunk -= length;
    return this.#chunk === 0;
  }

  #line(line: string): void {
    if (this.#inContent) this.#contentLine(this.#leniency.skipsNul ? line.replaceAll('\0', '') : line);
    else this.#command(line.trim());
  }

  #contentLine(line: string): void {
    if (line !== '.') return;
    this.#inContent = false;
    this.#reply('250 queued\r\n');
  }

  #command(line: string): void {
    const [verb = '', size = ''] = line.toUpperCase().split(' ');
    this.executed.push(verb);
    if (verb === 'EHLO') this.#reply(this.#leniency.chunking ? '250-m\r\n250 CHUNKING\r\n' : '250 m\r\n');
    else if (verb === 'HELO') this.#reply('250 m\r\n');
    else if (verb === 'QUIT') {
      this.#quit = true;
      this.#reply('221 bye\r\n');
    } else if (verb === 'DATA') this.#data();
    else if (verb === 'BDAT' && this.#leniency.chunking) {
      this.#chunk = Number(size);
      this.#reply(this.#takesData() ? '250 ok\r\n' : '503 no\r\n');
    } else this.#reply('250 ok\r\n');
  }

  #data(): void {
    this.#inContent = this.#takesData();
    this.#reply(this.#inContent ? '354 go\r\n' : '503 no\r\n');
  }
}
