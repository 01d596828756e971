/** Every fault of a soak, in the order of a round. */
import type { Fault } from './fault.js';
import { backendRestart } from './faults/backend-restart.js';
import { clockJumps } from './faults/clock-jumps.js';
import { descriptors } from './faults/descriptors.js';
import { fullDisk } from './faults/full-disk.js';
import { halfOpen } from './faults/half-open.js';
import { reloads } from './faults/reloads.js';
import { resets } from './faults/resets.js';
import { slowData } from './faults/slow-data.js';
import { slowHandshake } from './faults/slow-handshake.js';
import { slowHello } from './faults/slow-hello.js';
import { slowSmtp } from './faults/slow-smtp.js';

export const FAULTS: readonly Fault[] = [
  backendRestart,
  halfOpen,
  slowHello,
  slowHandshake,
  slowSmtp,
  slowData,
  resets,
  fullDisk,
  descriptors,
  clockJumps,
  reloads,
];
