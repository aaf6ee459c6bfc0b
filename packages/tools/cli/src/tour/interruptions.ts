// What ends `npm start` from outside: Ctrl-C, SIGTERM, a terminal that is closed, a reader of the output that goes.
// The first one stops everything in order, another one at once.

import { constants } from 'node:os';

export type Interruption = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE';

/** One Ctrl-C may come twice: from the terminal, and from npm, which passes its own on. */
const SAME_MS = 500;

export class Interruptions {
  /** Resolves with the first one. */
  readonly first: Promise<Interruption>;
  readonly #nowMs: () => number;
  #resolve: (interruption: Interruption) => void = () => {};
  #firstMs: number | undefined;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.first = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Listens to the process's signals. `again` is called for one that comes while the first is being obeyed. */
  listen(again: (interruption: Interruption) => void): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (!this.raise(signal)) again(signal);
      });
    }
  }

  /** Takes one; `false`: it is another one than the first. */
  raise(interruption: Interruption): boolean {
    this.#firstMs ??= this.#nowMs();
    this.#resolve(interruption);
    return this.#nowMs() - this.#firstMs <= SAME_MS;
  }
}

/** The exit code of a process that a signal ended, as shells count. */
export function exitCodeOfInterruption(interruption: Interruption): number {
  return 128 + constants.signals[interruption];
}
