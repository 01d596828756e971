/** Numbers, times and names as the pages show them. */

/** "12 s ago", "3 min ago", "5 h ago", "12 d ago". */
export function ago(then: string, now: string): string {
  return `${span(Date.parse(now) - Date.parse(then))} ago`;
}

/** The two largest units: "3 d 4 h". */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 || days > 9 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** "2026-11-24 07:26": RFC 3339, shortened to minutes. */
export function moment(time: string): string {
  return time.slice(0, 16).replace('T', ' ');
}

export function day(time: string): string {
  return time.slice(0, 10);
}

/** "1 234 567", with narrow spaces that do not break. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

export function megabytes(bytes: number): string {
  return `${grouped(Math.round(bytes / 1_000_000))} MB`;
}

/** An outcome of the log, with spaces. */
export function outcomeText(outcome: string): string {
  return outcome.replaceAll('_', ' ');
}
