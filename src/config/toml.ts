/** Parses TOML: values, the line of each, and errors with the next step. */
import { parseTOML, ParseError, type AST } from 'toml-eslint-parser';
import { ConfigError, type Problem } from './config-error.js';
import { foundText } from './line-excerpt.js';
import { pathOf, TomlPositions } from './toml-positions.js';

export type TomlTable = Record<string, unknown>;

export interface TomlDocument {
  readonly root: TomlTable;
  readonly positions: TomlPositions;
}

/**
 * @param file name for the error
 * @throws ConfigError
 */
export function parseToml(source: string, file: string): TomlDocument {
  const text = source.replace(/^\uFEFF/, '');
  try {
    const { root, positions } = new TreeReader(text);
    return { root, positions };
  } catch (cause) {
    if (cause instanceof NestingError) {
      const message = `arrays and tables are nested more than ${MAX_NESTING} deep`;
      throw new ConfigError(file, [{ line: cause.line, message }], { cause });
    }
    if (!(cause instanceof ParseError)) throw cause;
    throw new ConfigError(file, [explain(cause, text)], { cause });
  }
}

/** Builds values and positions in one pass over the syntax tree. */
class TreeReader {
  readonly root = emptyTable();
  readonly positions = new TomlPositions();
  /** Paths; '' before the first. */
  lastTable = '';
  lastKey = '';

  /** @throws ParseError, NestingError */
  constructor(text: string) {
    const [top] = parseTOML(text, { tomlVersion: '1.1.0' }).body;
    for (const node of top.body) {
      if (node.type === 'TOMLKeyValue') this.#keyValue(this.root, '', node, 0);
      else this.#table(node);
    }
  }

  #table({ resolvedKey, key, body }: AST.TOMLTable): void {
    const { container, path } = this.#descend(this.root, '', resolvedKey, key.loc.start.line);
    this.lastTable = path;
    for (const node of body) this.#keyValue(container as TomlTable, path, node, 0);
  }

  #keyValue(table: TomlTable, at: string, { key, value }: AST.TOMLKeyValue, depth: number): void {
    const names = key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value));
    const last = names.pop()!;
    const { line } = key.loc.start;
    const { container, path } = this.#descend(table, at, names, line);
    const target = pathOf(path, last);
    this.positions.add(target, line);
    this.lastKey = target;
    setOwn(container, last, this.#value(value, target, depth));
  }

  /** Follows `steps`, and creates missing tables and arrays. */
  #descend(
    from: TomlTable,
    at: string,
    steps: readonly (string | number)[],
    line: number,
  ): { container: TomlTable | unknown[]; path: string } {
    let container: TomlTable | unknown[] = from;
    let path = at;
    for (const [index, step] of steps.entries()) {
      path = typeof step === 'number' ? `${path}[${step}]` : pathOf(path, step);
      this.positions.add(path, line);
      const present: unknown = Object.hasOwn(container, step) ? (container as TomlTable)[step] : undefined;
      const next = present ?? (typeof steps[index + 1] === 'number' ? [] : emptyTable());
      if (present === undefined) setOwn(container, String(step), next);
      container = next as TomlTable | unknown[];
    }
    return { container, path };
  }

  #value(node: AST.TOMLContentNode, path: string, depth: number): unknown {
    if (depth > MAX_NESTING) throw new NestingError(node.loc.start.line);
    switch (node.type) {
      case 'TOMLValue':
        return node.value;
      case 'TOMLArray':
        return node.elements.map((element, index) => {
          const target = `${path}[${index}]`;
          this.positions.add(target, element.loc.start.line);
          return this.#value(element, target, depth + 1);
        });
      case 'TOMLInlineTable': {
        const table = emptyTable();
        for (const entry of node.body) this.#keyValue(table, path, entry, depth + 1);
        return table;
      }
    }
  }
}

/** Without a prototype: `__proto__` and `constructor` are keys like others. */
function emptyTable(): TomlTable {
  return Object.create(null) as TomlTable;
}

function setOwn(container: TomlTable | unknown[], key: string, value: unknown): void {
  (container as TomlTable)[key] = value;
}

function explain({ lineNumber: line, message }: ParseError, source: string): Problem {
  const lines = source.split('\n');
  const repeated = repetition(lines, line);
  if (repeated !== undefined) return repeated;
  const header = unclosedHeader(lines, line);
  if (header !== undefined) return header;
  return { line, message: `is not TOML: ${message}${foundText(lines[line - 1] ?? '')}` };
}

/** A repeated key or table: its own line is valid, and so is the text before it, but not both together. */
function repetition(lines: readonly string[], line: number): Problem | undefined {
  const before = readIfValid(lines.slice(0, line - 1).join('\n'));
  const [statement = ''] = STATEMENT.exec(lines[line - 1] ?? '') ?? [];
  const isHeader = statement.trimStart().startsWith('[');
  const own = readIfValid(isHeader ? statement : `${statement} = 0`);
  if (before === undefined || own === undefined) return undefined;
  const key = isHeader ? own.lastTable : own.lastKey;
  const path = isHeader || before.lastTable === '' ? key : `${before.lastTable}.${key}`;
  const first = before.positions.exactLineOf(path);
  if (first === undefined) return undefined;
  return { line, message: `${path} is set twice, here and on line ${first}; keep one` };
}

function readIfValid(text: string): TreeReader | undefined {
  try {
    return new TreeReader(text);
  } catch {
    return undefined;
  }
}

/** For `[table` without its bracket, the parser reports a later line, which would mislead. */
function unclosedHeader(lines: readonly string[], line: number): Problem | undefined {
  const above = lines.slice(0, line).findLastIndex((text) => /^\s*\[[^\]=]*$/.test(text.replace(/#.*/, '')));
  const between = lines.slice(above + 1, line - 1);
  if (above < 0 || !between.every((text) => /^\s*(?:#.*)?$/.test(text))) return undefined;
  const message = `is not TOML: the table's bracket is not closed${foundText(lines[above]!)}`;
  return { line: above + 1, message };
}

class NestingError extends Error {
  readonly line: number;

  constructor(line: number) {
    super(`nested more than ${MAX_NESTING} deep`);
    this.line = line;
  }
}

/** Deeper than any key, and far below the depth at which recursion would exhaust the stack. */
const MAX_NESTING = 16;
/** A table's header, or a key up to its equals sign. */
const STATEMENT = /^\s*(?:\[.*|(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^="'])+)/;
