// What the help of commands says, taken apart.

import { allOf, fullName, makeProgram, runCli } from '../../src/program.js';
import { testIo } from './test-io.js';

const program = makeProgram(testIo(), { endWith() {}, writeHelp() {} });

/** The names of every command and group of commands; the empty one is `deltabase` itself. */
export const COMMANDS: readonly (readonly string[])[] = allOf(program).map((command) =>
  fullName(command).split(' ').slice(1),
);

/** The commands that are not groups of commands, with what options they take: `--json`. */
export const OPTIONS: ReadonlyMap<string, readonly string[]> = new Map(
  allOf(program)
    .filter((command) => command.commands.length === 0)
    .map((command) => {
      const name = fullName(command).split(' ').slice(1).join(' ');
      return [name, command.options.map(({ long }) => long!)] as const;
    }),
);

export async function helpOf(command: readonly string[]): Promise<string> {
  const io = testIo();
  const code = await runCli([...command, '--help'], io);
  if (code === 0) return io.written.out;
  throw new Error(`help of ${command.join(' ')}: ${io.written.err}`);
}

/** The lines below "Examples:"; one that ends with a backslash goes on in the next. */
export function examplesOf(help: string): string[] {
  const [, examples = ''] = help.split('\nExamples:\n');
  const whole = examples.trimEnd().replaceAll(/\\\n\s*/g, '');
  return whole.split('\n').map((line) => line.trim());
}

/** The words of a line for a shell that holds no quotes. */
export function wordsOf(line: string): string[] {
  return line.split(/\s+/);
}
