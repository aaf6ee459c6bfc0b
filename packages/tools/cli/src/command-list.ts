// The commands as docs/cli.md lists them; scripts/fix-docs.mjs makes its table of them.

import { processIo } from './io.js';
import { allOf, fullName, makeProgram } from './program.js';

export interface ListedCommand {
  /** As it is typed: `deltabase get <space> <key> [pointer]`. */
  readonly usage: string;
  readonly summary: string;
  /** Its own options, without those that all commands have. */
  readonly options: readonly string[];
}

const COMMON = ['--address', '--timeout', '--json', '--no-color'];

/** Every command, in the order of the help. */
export function listCommands(): ListedCommand[] {
  const program = makeProgram(processIo(), { endWith() {}, writeHelp() {} });
  return allOf(program)
    .filter((command) => command.commands.length === 0)
    .map((command) => {
      const usage = command.usage().replace(/^\[options\] ?/, '');
      const own = command.options.filter(({ long }) => !COMMON.includes(long!));
      return {
        usage: `${fullName(command)} ${usage}`.trim(),
        summary: command.summary(),
        options: own.map(({ flags }) => flags),
      };
    });
}
