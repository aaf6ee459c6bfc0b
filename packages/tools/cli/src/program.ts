// The command line: its commands, its help, and how it ends.

import { DeltabaseError } from '@deltabase/base';
import { VERSION } from '@deltabase/server';
import { Command, CommanderError } from 'commander';
import { addDeploy } from './commands/deploy.js';
import { addGet } from './commands/get.js';
import { addHistory } from './commands/history.js';
import { addLog } from './commands/log.js';
import { addMachines } from './commands/machines.js';
import { addSend } from './commands/send.js';
import { addStart } from './commands/start.js';
import { addStatus } from './commands/status.js';
import { addWatch } from './commands/watch.js';
import { errorText, exitCodeOf } from './exit.js';
import type { Io } from './io.js';

const USAGE = exitCodeOf(new DeltabaseError('INVALID_ARGUMENT', ''));

/** Runs the command that `args` (without node and script) say; returns its exit code. Never throws. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let code = 0;
  const program = makeProgram(io, (ended) => {
    code = ended;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : USAGE;
    io.err(errorText(thrown, args.includes('--json')));
    return exitCodeOf(thrown);
  }
}

function makeProgram(io: Io, endWith: (code: number) => void): Command {
  const program = new Command('deltabase')
    .description('Deltabase: replicated documents whose logic is WebAssembly')
    .version(VERSION)
    .enablePositionalOptions()
    .showHelpAfterError('(--help shows how)')
    .addHelpText('after', EXAMPLES);
  addStart(program, io, endWith);
  addDeploy(program, io);
  addSend(program, io, endWith);
  addGet(program, io);
  addWatch(program, io);
  addHistory(program, io);
  addStatus(program, io);
  addMachines(program, io);
  addLog(program, io);
  for (const command of allOf(program)) {
    command.exitOverride();
    command.configureOutput({
      writeOut: (text) => void io.out(text),
      writeErr: (text) => io.err(text),
    });
  }
  return program;
}

const EXAMPLES = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused or in conflict, 5 unavailable or too
late, 130 interrupted.

Examples:
  deltabase start
  deltabase deploy counter examples/counter/build/machine.wasm
  deltabase send counter visits add '{"by": 1}'
  deltabase get counter visits
  deltabase watch counter visits
  deltabase history counter visits`;

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}
