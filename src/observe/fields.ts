/**
 * Declarations of the fields of log events, as data. The TypeScript types, docs/log.md and a test of real log lines are
 * derived from them.
 */

/** What a value can be. */
interface Kinds {
  text: string;
  /** Text from a peer, or from beyond it; sanitized. */
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
  readonly meaning: string;
  readonly optional: boolean;
  /** Of a number. */
  readonly unit?: string;
  /** All values of a text. */
  readonly values?: readonly string[];
  /** All values of each element of a list. */
  readonly members?: readonly string[];
}

export interface Group {
  readonly kind: 'group';
  readonly meaning: string;
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
  meaning: string,
): { kind: K; meaning: string; optional: false } => ({
  kind,
  meaning,
  optional: false,
});

export const text = (meaning: string) => leaf('text', meaning);
export const peerText = (meaning: string) => leaf('peerText', meaning);
export const flag = (meaning: string) => leaf('flag', meaning);
export const time = (meaning: string) => leaf('time', meaning);
export const texts = (meaning: string) => leaf('texts', meaning);
export const numbers = (meaning: string) => leaf('numbers', meaning);
export const integer = (meaning: string, unit: string) => ({ ...leaf('integer', meaning), unit });
export const number = (meaning: string, unit: string) => ({ ...leaf('number', meaning), unit });
export const oneOf = <const V extends readonly string[]>(values: V, meaning: string) => ({
  ...leaf('text', meaning),
  values,
});
export const someOf = <const V extends readonly string[]>(members: V, meaning: string) => ({
  ...leaf('texts', meaning),
  members,
});
export const group = <const D extends Fields>(meaning: string, fields: D) =>
  ({ kind: 'group', meaning, optional: false, fields }) as const;

/** Marks a field as optional. */
export const maybe = <F extends Field>(field: F): Omit<F, 'optional'> & { readonly optional: true } => ({
  ...field,
  optional: true,
});
