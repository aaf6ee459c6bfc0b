// Runs commands of the command line as a user would, in this process, and shows them with what they print. So what
// the tour shows is what typing the command shows.

import { Readable } from 'node:stream';
import { DeltabaseError } from '@deltabase/base';
import type { Io } from '../io.js';
import { runCli } from '../program.js';
import type { Screen } from './screen.js';

export interface CommandsOptions {
  readonly screen: Screen;
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A command that goes on while others run. */
export interface Following {
  /** Shows what it prints next. Throws if it failed instead. */
  next(): Promise<void>;
  /** Waits for its end. Throws if it failed. */
  end(): Promise<void>;
}

const NAME = 'npx deltabase';

export class Commands {
  readonly #options: CommandsOptions;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Runs a command and shows it. Throws INTERNAL unless it ends with the code that is expected. */
  async run(args: readonly string[], { expected = 0 } = {}): Promise<void> {
    const { screen } = this.#options;
    screen.command(typed(args));
    let printed = '';
    const code = await runCli(
      args,
      this.#io((text) => {
        printed += text;
      }),
    );
    screen.result(printed);
    if (code !== expected) throw unexpected(args, code, printed);
  }

  /** Runs a command and shows it; what it prints is shown piece by piece. */
  follow(args: readonly string[]): Following {
    const { screen } = this.#options;
    screen.command(typed(args));
    const pieces = new Pieces();
    const ended = runCli(
      args,
      this.#io((text) => pieces.put(text)),
    ).then((code) => {
      if (code !== 0) throw unexpected(args, code, pieces.rest());
    });
    // Whoever asks next is told; nobody may ask again when the tour is left.
    ended.catch(() => {});
    return {
      next: async () => screen.aside(await Promise.race([pieces.take(), neverBefore(ended)])),
      end: () => ended,
    };
  }

  #io(print: (text: string) => void): Io {
    const { env, isTerminal } = this.#options;
    return {
      env,
      isTerminal,
      columns: undefined,
      stdin: Readable.from([]),
      // The tour ends by itself, and its commands with it.
      signal: new AbortController().signal,
      out: async (text) => print(text),
      err: print,
    };
  }
}

/** What was printed and not taken yet, piece by piece. One at a time takes. */
class Pieces {
  readonly #pieces: string[] = [];
  #wake: () => void = () => {};

  put(text: string): void {
    this.#pieces.push(text);
    this.#wake();
  }

  async take(): Promise<string> {
    while (this.#pieces.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#pieces.shift()!;
  }

  rest(): string {
    return this.#pieces.join('');
  }
}

/** Rejects as `ended` does; where it ends well, what was printed is there to be taken. */
async function neverBefore(ended: Promise<void>): Promise<never> {
  await ended;
  return new Promise(() => {});
}

function unexpected(args: readonly string[], code: number, printed: string): DeltabaseError {
  const why =
    `${typed(args)} ended with exit code ${code} (${printed.trim()}). Where the documents of the tour were ` +
    'changed in another way, npm start -- --data DIRECTORY begins with new ones';
  return new DeltabaseError('INTERNAL', why);
}

/** The command as it is typed into a shell. */
export function typed(args: readonly string[]): string {
  return [NAME, ...args.map(quoted)].join(' ');
}

function quoted(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  return `'${argument.replaceAll("'", "'\\''")}'`;
}
