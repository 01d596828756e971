/** Writing lines to a reader that hangs, to a full disk, and to one that is gone. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { LineOutput } from '../../src/system/line-output.js';

function makePipe(t: Test): { reader: number; writer: number } {
  const folder = mkdtempSync(join(tmpdir(), 'oldhello-fifo-'));
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return { reader, writer };
}

/** Reads until there is nothing more. */
function drain(fd: number): string {
  const chunk = Buffer.alloc(1 << 20);
  let text = '';
  for (;;) {
    try {
      const length = readSync(fd, chunk);
      if (length === 0) return text;
      text += chunk.toString('latin1', 0, length);
    } catch {
      return text;
    }
  }
}

test('a reader that hangs costs lines, not memory, and receives their number when it reads again', async (t) => {
  const { reader, writer } = makePipe(t);
  const reported: number[] = [];
  const output = new LineOutput({ fd: writer, retryDelayMs: 1, dropped: (lines) => reported.push(lines) });
  const line = `${'x'.repeat(1023)}\n`;
  for (let count = 0; count < 20_000; count++) output.write(line);
  let text = '';
  let done = false;
  void output.flush(60_000).then(() => (done = true));
  while (!done) {
    text += drain(reader);
    await new Promise((resolve) => setImmediate(resolve));
  }
  text += drain(reader);
  t.equal(text.length % 1024, 0, 'no line is torn');
  const arrived = text.length / 1024;
  t.equal(arrived + reported.reduce((sum, lines) => sum + lines, 0), 20_000, 'each is there or counted');
  t.ok(arrived < 6_000, 'and what was kept is bounded');
  closeSync(reader);
  closeSync(writer);
});

test('a full disk and a reader that is gone are no errors of ours', async (t) => {
  const full = openSync('/dev/full', 'w');
  const onFull = new LineOutput({ fd: full, retryDelayMs: 1, dropped: () => undefined });
  onFull.write('line\n');
  await onFull.flush(20);
  const { reader, writer } = makePipe(t);
  closeSync(reader);
  const onGone = new LineOutput({ fd: writer, retryDelayMs: 1, dropped: () => undefined });
  onGone.write('line\n');
  await onGone.flush(20);
  onGone.write('line\n');
  t.pass('flushing ends, however hopeless');
});

test('a replaced descriptor that fails to close costs nothing', async (t) => {
  const { reader, writer } = makePipe(t);
  const output = new LineOutput({ fd: NO_DESCRIPTOR, retryDelayMs: 1, dropped: () => undefined });
  output.switchTo(writer);
  output.write('line\n');
  await output.flush(1_000);
  t.equal(drain(reader), 'line\n');
  closeSync(reader);
  closeSync(writer);
});

/** Closing it fails with EBADF, which stands for EIO. */
const NO_DESCRIPTOR = 1_000_000;

test('lines that gather behind one that has left are written by a flush', async (t) => {
  const { reader, writer } = makePipe(t);
  const output = new LineOutput({ fd: writer, dropped: () => undefined });
  output.write('first\n');
  await output.flush(1_000);
  for (const line of ['second\n', 'third\n', 'fourth\n']) output.write(line);
  await output.flush(1_000);
  t.equal(drain(reader), 'first\nsecond\nthird\nfourth\n');
  output.write('fifth\n');
  let text = '';
  while (text === '') {
    await new Promise((resolve) => setImmediate(resolve));
    text = drain(reader);
  }
  output.write('last\n');
  t.equal(drain(reader), '', 'it waits for company');
  await output.flush(1_000);
  t.equal(drain(reader), 'last\n');
  closeSync(reader);
  closeSync(writer);
});
