/** What happened, and what to do about it. */
export interface Explained {
  readonly meaning: string;
  /** What the administrator can do about it. */
  readonly remedy: string;
}

export function sentence({ meaning, remedy: advice }: Explained): string {
  return `${meaning}. What to do: ${advice}.`;
}
