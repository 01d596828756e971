/**
 * How the fields of a log event are declared: as data, from which their types, docs/log.md and the test of what is
 * really emitted are derived.
 */

/** What a value can be. */
interface Kinds {
  text: string;
  /** The words of a peer, or of whatever lies beyond it: escaped. */
  peerText: string;
  integer: number;
  number: number;
  flag: boolean;
  /** RFC 3339, in UTC. */
  time: string;
  texts: readonly string[];
  /** Numbers by name, where the names are declared elsewhere. */
  numbers: Readonly<Record<string, number>>;
}

export interface Leaf {
  readonly kind: keyof Kinds;
  readonly means: string;
  readonly optional: boolean;
  /** Of a number. */
  readonly unit?: string;
  /** All that a text can be. */
  readonly values?: readonly string[];
  /** All that each of several texts can be. */
  readonly members?: readonly string[];
}

export interface Group {
  readonly kind: 'group';
  readonly means: string;
  readonly optional: boolean;
  readonly fields: Fields;
}

export type Field = Leaf | Group;
export type Fields = Readonly<Record<string, Field>>;

type ValueOf<F> = F extends { readonly values: readonly (infer V)[] }
  ? V
  : F extends { readonly members: readonly (infer V)[] }
    ? readonly V[]
    : F extends { readonly fields: infer D extends Fields }
      ? FieldsOf<D>
      : F extends { readonly kind: infer K extends keyof Kinds }
        ? Kinds[K]
        : never;

type OptionalIn<D> = { [K in keyof D]: D[K] extends { readonly optional: true } ? K : never }[keyof D];

/** The object that a declaration describes. */
export type FieldsOf<D extends Fields> = {
  readonly [K in Exclude<keyof D, OptionalIn<D>>]: ValueOf<D[K]>;
} & { readonly [K in OptionalIn<D>]?: ValueOf<D[K]> | undefined };

const leaf = <K extends keyof Kinds>(
  kind: K,
  means: string,
): { kind: K; means: string; optional: false } => ({
  kind,
  means,
  optional: false,
});

export const text = (means: string) => leaf('text', means);
export const peerText = (means: string) => leaf('peerText', means);
export const flag = (means: string) => leaf('flag', means);
export const time = (means: string) => leaf('time', means);
export const texts = (means: string) => leaf('texts', means);
export const numbers = (means: string) => leaf('numbers', means);
export const integer = (means: string, unit: string) => ({ ...leaf('integer', means), unit });
export const number = (means: string, unit: string) => ({ ...leaf('number', means), unit });
export const oneOf = <const V extends readonly string[]>(values: V, means: string) => ({
  ...leaf('text', means),
  values,
});
export const someOf = <const V extends readonly string[]>(members: V, means: string) => ({
  ...leaf('texts', means),
  members,
});
export const group = <const D extends Fields>(means: string, fields: D) =>
  ({ kind: 'group', means, optional: false, fields }) as const;

/** Absent where it does not apply. */
export const maybe = <F extends Field>(field: F): Omit<F, 'optional'> & { readonly optional: true } => ({
  ...field,
  optional: true,
});
