// What a command may touch of the process around it: a test passes its own. Results go to `out`, everything
// else to `err`, so that a pipe gets results only.

import type { Readable } from 'node:stream';

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  /** Whether results go to a person's terminal. */
  readonly isTerminal: boolean;
  /** Writes results; resolves when more may be written. */
  out(text: string): Promise<void>;
  err(text: string): void;
  /** Milliseconds since 1970. */
  wallMs(): number;
}

/** The process's own. A reader that closes the pipe early (`| head`) ends the process without complaint. */
export function processIo(): Io {
  const { stdout, stderr, stdin, env } = process;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    env,
    stdin,
    isTerminal: stdout.isTTY === true,
    out: (text) =>
      new Promise((resolve) => {
        if (stdout.write(text)) resolve();
        else stdout.once('drain', resolve);
      }),
    err: (text) => void stderr.write(text),
    wallMs: () => Date.now(),
  };
}
