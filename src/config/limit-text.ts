/** A value of [limits] in the format of the configuration file. */
import { duration } from './formats.js';
import { SECTIONS, type Keys } from './schema.js';

/** Limits are kept as numbers: durations in milliseconds. @param name the key in [limits] */
export function limitText(name: string, value: number): string {
  const keys: Keys = SECTIONS.limits;
  return keys[name]?.format === duration ? durationText(value) : String(value);
}

function durationText(milliseconds: number): string {
  const [size, unit] = UNITS.find(([length]) => milliseconds % length === 0)!;
  return `${milliseconds / size}${unit}`;
}

const UNITS = [
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
  [1, 'ms'],
] as const;
