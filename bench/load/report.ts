/** How a load script answers: one line of JSON, be it what it measured or why it could not. */
export function report(work: Promise<object>): void {
  work.then(
    (result) => process.stdout.write(`${JSON.stringify(result)}\n`),
    (error: unknown) => process.stdout.write(`${JSON.stringify({ unable: messageOf(error) })}\n`),
  );
}

/** The job that the stage gives as the only argument. */
export function job(): unknown {
  return JSON.parse(process.argv[2]!);
}

/** Runs `action` and says how long it took and how much of its core this process needed. */
export async function timed(action: () => Promise<unknown>): Promise<{ seconds: number; cpu: number }> {
  const began = performance.now();
  const before = process.cpuUsage();
  await action();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { seconds, cpu: (user + system) / 1e6 };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
