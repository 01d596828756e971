/** What a reload cannot change. */
import { READ_AT_START, type Config, type SECTIONS } from './schema.js';
import { camelCase } from './table-reader.js';

/** The keys, such as `log.level`, whose values differ and would take a restart. */
export function keysThatTakeRestart(running: Config, wanted: Config): string[] {
  const keys = Object.entries(READ_AT_START).flatMap(([table, names]) =>
    names
      .filter((name) => {
        const [before, after] = [running, wanted].map((config) => valueOf(config, table as TableName, name));
        return JSON.stringify(before) !== JSON.stringify(after);
      })
      .map((name) => `${table}.${name}`),
  );
  return runsWorkers(running) === runsWorkers(wanted) ? keys : ['server.workers', ...keys];
}

/** Whether other processes than the first run the connections, which it is from its start to its end. */
export function runsWorkers({ server: { workers } }: Config): boolean {
  return workers !== 1;
}

type TableName = keyof typeof SECTIONS;

function valueOf(config: Config, table: TableName, key: string): unknown {
  const section = config[camelCase(table) as keyof Config];
  return (section as unknown as Readonly<Record<string, unknown>>)[camelCase(key)];
}
