/** Finds changes that a reload cannot apply. */
import { READ_AT_START, type Config, type SECTIONS } from './schema.js';
import { camelCase } from './table-reader.js';

/** @returns changed keys that need a restart, such as `log.level` */
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

/** Whether worker processes run the connections. It cannot change while the process runs. */
export function runsWorkers({ server: { workers } }: Config): boolean {
  return workers !== 1;
}

type TableName = keyof typeof SECTIONS;

function valueOf(config: Config, table: TableName, key: string): unknown {
  const section = config[camelCase(table) as keyof Config];
  return (section as unknown as Readonly<Record<string, unknown>>)[camelCase(key)];
}
