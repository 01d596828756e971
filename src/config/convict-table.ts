/** Makes a schema of convict from declared keys. convict coerces values, sets defaults and validates the result. */
import convict, { type Config as ConvictConfig } from 'convict';
import type { Format } from './formats.js';
import type { Key, Keys } from './schema.js';

export type ConvictTable = ConvictConfig<Record<string, unknown>>;

/** A table with its defaults, for `load`. The environment and the command line have no effect. */
export function convictTable(keys: Keys): ConvictTable {
  const schema = Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, schemaOf(key)]));
  return convict<Record<string, unknown>>(schema, { args: [], env: {} });
}

/** convict represents an absent value as `null`. */
function schemaOf({ doc, default: standard, format }: Key<unknown>) {
  return {
    doc,
    format: registered(format),
    default: standard ?? null,
    nullable: standard === undefined,
    sensitive: format.isHidden === true,
  };
}

/** convict finds a coercing format only by name. */
function registered({ allowed, coerce, isValid }: Format<unknown>): string {
  if (REGISTERED.has(allowed)) return allowed;
  REGISTERED.add(allowed);
  convict.addFormat({
    name: allowed,
    // Text that cannot be coerced stays text, and is then invalid.
    ...(coerce !== undefined && { coerce: (written: string) => coerce(written) ?? written }),
    validate(value: unknown) {
      if (!isValid(value)) throw new Error(`allowed: ${allowed}`);
    },
  });
  return allowed;
}

const REGISTERED = new Set<string>();
