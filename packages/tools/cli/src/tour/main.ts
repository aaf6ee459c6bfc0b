// npm start: its arguments, its output and its end. What happens between is in session.ts.

import { DeltabaseError, ERRORS } from '@deltabase/base';
import { VERSION } from '@deltabase/server';
import { CommanderError } from 'commander';
import { errorText, exitCodeOf } from '../exit.js';
import { printable } from '../format/printable.js';
import type { Io } from '../io.js';
import { Interruptions } from './interruptions.js';
import { type Place, parseOptions, type TourOptions } from './options.js';
import { type Output, Screen } from './screen.js';
import { runSession } from './session.js';

/** Runs `npm start` with these arguments; returns the exit code of the process. Never throws. */
export async function runTour(args: readonly string[], place: Place): Promise<number> {
  const interruptions = new Interruptions();
  const output = processOutput(() => interruptions.raise('SIGPIPE'));
  try {
    const options = optionsOf(args, output, place);
    if (typeof options === 'number') return options;
    const screen = new Screen(output, options);
    screen.line(`${screen.paint.bold('Deltabase')} ${VERSION}`);
    return await runSession({ options, place, output, screen, interruptions });
  } catch (thrown) {
    process.stderr.write(endText(thrown));
    return exitCodeOf(thrown);
  }
}

/** What is told of the error that ended it; what a node logged last keeps its lines. */
function endText(thrown: unknown): string {
  if (!(thrown instanceof DeltabaseError)) return errorText(thrown, false);
  const message = thrown.message.split('\n').map(printable).join('\n');
  return `deltabase: ${message} (${thrown.code})\n`;
}

/** The options; an exit code where nothing is to be started. */
function optionsOf(args: readonly string[], output: Output, place: Place): TourOptions | number {
  const io: Pick<Io, 'out' | 'err'> = {
    out: async (text) => output.write(text),
    err: (text) => void process.stderr.write(text),
  };
  try {
    return parseOptions(args, io, place);
  } catch (thrown) {
    if (thrown instanceof CommanderError)
      return thrown.exitCode === 0 ? 0 : ERRORS.INVALID_ARGUMENT.exit;
    throw thrown;
  }
}

/** Standard output; `closed` is called when its reader is gone, and what is written then is lost. */
function processOutput(closed: () => void): Output {
  const { stdout, stderr, env } = process;
  stdout.on('error', closed);
  stderr.on('error', closed);
  return { isTerminal: stdout.isTTY === true, env, write: (text) => void stdout.write(text) };
}
