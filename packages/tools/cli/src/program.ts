// The command line: its commands, its help, and how it ends.

import { DeltabaseError } from '@deltabase/base';
import { Command, CommanderError } from 'commander';
import { addCluster } from './commands/cluster.js';
import { addDeploy } from './commands/deploy.js';
import { addGet } from './commands/get.js';
import { addHistory } from './commands/history.js';
import { addHot } from './commands/hot.js';
import { addLog } from './commands/log.js';
import { addMachines } from './commands/machines.js';
import { addRecover } from './commands/recover.js';
import { addSend } from './commands/send.js';
import { addStart } from './commands/start.js';
import { addStatus } from './commands/status.js';
import { addWatch } from './commands/watch.js';
import { endOf, exitCodeOf } from './exit.js';
import type { Io } from './io.js';
import { VERSION } from './version.js';

const USAGE = exitCodeOf(new DeltabaseError('INVALID_ARGUMENT', ''));
const HELP_COLUMNS = 80;
const HELP_COLUMNS_MAX = 100;

/** Runs the command that `args` (without node and script) say; returns its exit code. Never throws. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let code = 0;
  const help: string[] = [];
  const program = makeProgram(io, {
    endWith: (ended) => {
      code = ended;
    },
    writeHelp: (text) => void help.push(text),
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (thrown) {
    const isJson = args.includes('--json');
    if (!(thrown instanceof CommanderError)) return endOf(thrown, io, isJson);
    const isAsked = thrown.exitCode === 0;
    if (!isAsked) io.err(help.join(''));
    else await io.out(help.join('')).catch((failed) => endOf(failed, io, isJson));
    return isAsked ? 0 : USAGE;
  }
}

/** How a command that ran to its end, or was only asked for help, reports. */
export interface Reports {
  /** The exit code, if it is not 0. */
  readonly endWith: (code: number) => void;
  readonly writeHelp: (text: string) => void;
}

/** All commands. */
export function makeProgram(io: Io, { endWith, writeHelp }: Reports): Command {
  const width = Math.min(io.columns ?? HELP_COLUMNS, HELP_COLUMNS_MAX);
  // Commands that are added inherit all this.
  const program = new Command('deltabase')
    .description('Deltabase: replicated documents whose logic is WebAssembly.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureHelp({ subcommandTerm: termOf })
    .configureOutput({
      writeOut: writeHelp,
      writeErr: writeHelp,
      // It comes back as what `exitOverride` throws.
      outputError: () => {},
      getOutHelpWidth: () => width,
      getErrHelpWidth: () => width,
    })
    .enablePositionalOptions()
    .addHelpText('after', EPILOGUE);
  addStart(program, io, endWith);
  addDeploy(program, io);
  addSend(program, io, endWith);
  addGet(program, io);
  addWatch(program, io);
  addHistory(program, io);
  addStatus(program, io);
  addHot(program, io);
  addCluster(program, io);
  addMachines(program, io);
  addLog(program, io);
  addRecover(program, io);
  for (const command of allOf(program)) {
    command.exitOverride((error) => {
      throw isHelp(error) ? error : usageError(error, command);
    });
  }
  return program;
}

const EPILOGUE = `
deltabase COMMAND --help tells more, with examples.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused or in
conflict, 5 unavailable or too late, 130 interrupted.

Examples:
  deltabase start
  deltabase deploy counter examples/counter/build/machine.wasm
  deltabase send counter visits add '{"by": 1}'
  deltabase get counter visits
  deltabase history counter visits`;

/** A command and its subcommands, in the order of their help. */
export function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

/** `deltabase log list`, say. */
export function fullName(command: Command): string {
  const { parent } = command;
  return parent === null ? command.name() : `${fullName(parent)} ${command.name()}`;
}

/** Name and arguments, without what all have. */
function termOf(command: Command): string {
  const args = command.registeredArguments.map((argument) => {
    const name = argument.name() + (argument.variadic ? '...' : '');
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [command.name(), ...args].join(' ');
}

function isHelp({ exitCode, code }: CommanderError): boolean {
  return exitCode === 0 || code === 'commander.help';
}

/** What Commander says is wrong, as any other error. */
function usageError({ message }: CommanderError, command: Command): DeltabaseError {
  const what = message
    .replace(/^error: (?:command-argument )?/, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
  return new DeltabaseError('INVALID_ARGUMENT', `${what}: see ${fullName(command)} --help`);
}
