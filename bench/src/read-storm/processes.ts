// The processes of a read storm that are not the cluster's.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ReadersPlan, ReadersReport } from './reader-process.js';

/**
 * Readers and replicas are elsewhere in earnest, on machines of their own: here they only get the CPU that nodes and the
 * writer leave.
 */
export const ELSEWHERE_NICE = 19;

const PROGRAM = fileURLToPath(new URL('reader-process.js', import.meta.url));

export class Readers {
  readonly #child: ChildProcess;
  #report: ReadersReport = { reads: 0, refused: 0 };

  constructor(plan: ReadersPlan) {
    this.#child = fork(PROGRAM);
    setPriority(this.#child.pid!, ELSEWHERE_NICE);
    this.#child.on('message', (report: ReadersReport) => {
      this.#report = report;
    });
    this.#child.send(plan);
  }

  get report(): ReadersReport {
    return this.#report;
  }

  /** Ends them. Rejects if a reader saw what it may not. */
  async stop(): Promise<ReadersReport> {
    if (this.#child.exitCode === null) {
      this.#child.send('stop');
      await once(this.#child, 'exit');
    }
    if (this.#child.exitCode !== 0) throw new Error('a reader failed: see above');
    return this.#report;
  }
}
