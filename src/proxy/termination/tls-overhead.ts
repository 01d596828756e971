/**
 * A bound on TLS records without data. KeyUpdate (RFC 8446, 4.6.3), refused renegotiations and empty records cost work
 * and deliver nothing, and node:tls reports none of them. What it does report are bytes: those of the TCP connection and
 * those of the data inside.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

interface Watched {
  readonly raw: Socket;
  readonly tls: TLSSocket;
  readonly exceeded: (error: Error) => void;
}

const watched = new Set<Watched>();
let timer: NodeJS.Timeout | undefined;

/**
 * Destroys `tls` once it has received far more bytes of records than data.
 * @param exceeded called before, once
 */
export function limitOverhead(raw: Socket, tls: TLSSocket, exceeded: (error: Error) => void): void {
  const entry = { raw, tls, exceeded };
  watched.add(entry);
  timer ??= setInterval(checkAll, CHECK_INTERVAL_MS).unref();
  tls.once('close', () => {
    watched.delete(entry);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  });
}

/** @param records bytes of the TCP connection @param data bytes inside TLS */
export function isExcessive(records: number, data: number): boolean {
  return records > MAX_OVERHEAD_BYTES + data * MAX_BYTES_PER_DATA_BYTE;
}

function checkAll(): void {
  for (const { raw, tls, exceeded } of watched) {
    if (!isExcessive(raw.bytesRead, tls.bytesRead)) continue;
    exceeded(Object.assign(new Error('TLS records without data'), { code: 'TLS_RECORDS_WITHOUT_DATA' }));
    tls.destroy();
  }
}

const CHECK_INTERVAL_MS = 1_000;
/**
 * TLS 1.3 lets a client pad each record to 16 KiB (RFC 8446, 5.4): 60 commands that are padded so fit in. As many bytes
 * of key updates cost about a second of CPU time, and so do those that 32 KiB of data allow.
 */
const MAX_OVERHEAD_BYTES = 1024 * 1024;
/** A record of one byte has 24 to 30 bytes in TLS 1.2 and 23 in TLS 1.3. */
const MAX_BYTES_PER_DATA_BYTE = 32;
