// What machines have to say to operators, in the log of the node that ran them. Writing a line takes longer than
// many a message, so only so many are written in a second, of all machines together; the others are counted
// (LogicCannotHurtTheHost).

import type { Limits } from '@deltabase/base';
import type { Call, Log } from '../ports.js';

export interface MachineLogOptions {
  readonly log: Log;
  readonly limits: Pick<Limits, 'machineLogLinesPerSecondMax'>;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
}

const SECOND_MS = 1000;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export class MachineLog {
  readonly #options: MachineLogOptions;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #written = 0;
  #dropped = 0;

  constructor(options: MachineLogOptions) {
    this.#options = options;
  }

  /** Writes the lines of a message, each of which begins with its level. */
  write({ space, key, channel }: Call, lines: readonly string[]): void {
    const { log, limits } = this.#options;
    this.#begin();
    for (const line of lines) {
      if (this.#written >= limits.machineLogLinesPerSecondMax) {
        this.#dropped++;
        continue;
      }
      this.#written++;
      const level = LEVELS.find((name) => line.startsWith(`${name}: `)) ?? 'info';
      log[level]('machine-log', { space, key, channel, line: line.slice(level.length + 2) });
    }
  }

  #begin(): void {
    const now = this.#options.nowMs();
    if (now - this.#sinceMs < SECOND_MS) return;
    if (this.#dropped > 0) {
      this.#options.log.warn('machine-log-lines-dropped', { lines: this.#dropped });
    }
    this.#sinceMs = now;
    this.#written = 0;
    this.#dropped = 0;
  }
}
