// Options of the programs of this folder: what is wrong is said in one line with the usage, exit code 2.

import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Like `parseArgs`; ends the process with the usage if an option is unknown or lacks its value. */
export function parseOptions<T extends ParseArgsConfig>(
  config: T,
  usage: string,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (thrown) {
    const isOurs = thrown instanceof TypeError && 'code' in thrown;
    if (!isOurs || !String(thrown.code).startsWith('ERR_PARSE_ARGS')) throw thrown;
    return endWithUsage(thrown.message, usage);
  }
}

/** The names of the options that take a text. */
type TextOption<Values> = {
  [Name in keyof Values & string]: Values[Name] extends string ? Name : never;
}[keyof Values & string];

/** Reads options that are whole numbers from `min` on; ends the process with the usage if one is not. */
export function counter<Values extends object>(
  values: Values,
  usage: string,
): (name: TextOption<Values>, min?: number) => number {
  return (name, min = 1) => {
    const value = Number(values[name]);
    if (Number.isSafeInteger(value) && value >= min) return value;
    return endWithUsage(`--${name} ${values[name]} is nothing that this can be`, usage);
  };
}

export function endWithUsage(problem: string, usage: string): never {
  console.error(`${problem}\n\n${usage}`);
  process.exit(2);
}
