// What a command may touch of the process around it: a test passes its own. Results go to `out`, everything
// else to `err`, so that a pipe gets results only.

import { setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import { DeltabaseError } from '@deltabase/base';

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  /** Whether results go to a person's terminal, and how wide it is. */
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  /** Aborted when the command is to end; its reason is the name of the process's signal. */
  readonly signal: AbortSignal;
  /** Writes results; resolves when they are. Rejects with OutputClosed if nobody reads them, or CANCELLED. */
  out(text: string): Promise<void>;
  err(text: string): void;
}

/** Whoever read the results has gone (`| head`): no fault, but nothing more is wanted. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** The process's own. */
export function processIo(): Io {
  const { stdout, stderr, stdin, env } = process;
  let broken: Error | undefined;
  stdout.on('error', (error) => {
    broken ??= error;
  });
  // Without standard error there is nobody to tell.
  stderr.on('error', () => {});
  let signal: AbortSignal | undefined;
  return {
    env,
    stdin,
    isTerminal: stdout.isTTY === true,
    columns: stdout.columns,
    get signal() {
      signal ??= interruption();
      return signal;
    },
    out: (text) =>
      new Promise((resolve, reject) => {
        // A reader that has paused must not keep the command from ending.
        const interrupt = (): void => reject(new DeltabaseError('CANCELLED', 'interrupted'));
        signal?.addEventListener('abort', interrupt, { once: true });
        stdout.write(text, (error) => {
          signal?.removeEventListener('abort', interrupt);
          if (error == null) resolve();
          else reject(outputError(broken ?? error));
        });
      }),
    err: (text) => void stderr.write(text),
  };
}

function outputError(error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE') return new OutputClosed();
  const why = `the results cannot be written: ${error.message}`;
  return new DeltabaseError('INTERNAL', why, { cause: error });
}

/** The first signal asks the command to end, a second one ends the process. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  // Every message in flight listens.
  setMaxListeners(0, controller.signal);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, (_name: string, number: number) => {
      if (controller.signal.aborted) process.exit(128 + number);
      controller.abort(name);
    });
  }
  return controller.signal;
}
