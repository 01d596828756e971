/** Bytes of one input: a file, compressed with gzip or not, or standard input, in chunks. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { once } from 'node:events';
import { constants, createGunzip, type Gunzip } from 'node:zlib';

export interface SourceOptions {
  /** Decompressed; valid until the callback returns. */
  readonly take: (bytes: Buffer) => void;
  /** Called with the number of bytes read from disk, for each chunk. */
  readonly read: (bytes: number) => void;
}

/** The path of standard input. */
export const STANDARD_INPUT = '-';

/**
 * Reads one input to its end.
 * @returns what was wrong with its compression; what could be read was delivered
 * @throws SourceError
 */
export async function readSource(path: string, options: SourceOptions): Promise<string | undefined> {
  try {
    return await readStream(path, options);
  } catch (cause) {
    throw isSystemError(cause) ? new SourceError(path, cause) : cause;
  }
}

async function readStream(path: string, { take, read }: SourceOptions): Promise<string | undefined> {
  const stream =
    path === STANDARD_INPUT ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  let gunzip: Gunzip | undefined;
  let failure: Error | undefined;
  let first: Buffer | undefined = Buffer.alloc(0);
  const deliver = async (bytes: Buffer): Promise<void> => {
    if (gunzip === undefined) take(bytes);
    else if (failure === undefined && !gunzip.write(bytes))
      await Promise.race([once(gunzip, 'drain'), settled(gunzip)]);
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    read(chunk.length);
    if (first === undefined) {
      await deliver(chunk);
      continue;
    }
    first = Buffer.concat([first, chunk]);
    if (first.length < GZIP_MAGIC.length) continue;
    if (first.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC)) {
      gunzip = startGunzip(take, (error) => (failure = error));
    }
    const bytes: Buffer = first;
    first = undefined;
    await deliver(bytes);
  }
  if (first !== undefined) take(first);
  if (gunzip === undefined) return undefined;
  if (!gunzip.destroyed) {
    gunzip.end();
    await settled(gunzip);
  }
  return failure?.message;
}

/** An input that cannot be read; the message is a sentence with its path. */
export class SourceError extends Error {
  constructor(path: string, cause: NodeJS.ErrnoException) {
    super(`${path}: ${REASONS[cause.code ?? ''] ?? cause.message}`, { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'is a folder; name the files in it',
};

/** Bytes of all files together; undefined for standard input and other streams. @throws SourceError */
export async function totalSize(paths: readonly string[]): Promise<number | undefined> {
  if (paths.includes(STANDARD_INPUT)) return undefined;
  const files = await Promise.all(
    paths.map((path) =>
      stat(path).catch((cause: unknown) => {
        throw isSystemError(cause) ? new SourceError(path, cause) : cause;
      }),
    ),
  );
  return files.every((file) => file.isFile()) ? files.reduce((sum, { size }) => sum + size, 0) : undefined;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** Members that follow each other are one text (RFC 1952, 2.2), which zlib handles. */
function startGunzip(take: (bytes: Buffer) => void, failed: (error: Error) => void): Gunzip {
  const gunzip = createGunzip({ chunkSize: GUNZIP_CHUNK_BYTES, finishFlush: constants.Z_FINISH });
  gunzip.on('data', take);
  gunzip.on('error', failed);
  return gunzip;
}

function settled(gunzip: Gunzip): Promise<unknown> {
  return new Promise((resolve) => gunzip.once('close', resolve));
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
/** Larger chunks were not faster. */
const CHUNK_BYTES = 1 << 20;
const GUNZIP_CHUNK_BYTES = 1 << 18;
