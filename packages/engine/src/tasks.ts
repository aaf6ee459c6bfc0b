// Runs tasks (task.ts) in the node's turns. What a task throws is a defect or damage, and this node must not
// go on. Tasks that read much can be made to wait for each other, so that a thousand cold documents asked
// for at once cost time and not memory.

import { Fifo } from './fifo.js';
import { runTask, type Task } from './task.js';
import type { TurnLoop } from './turn-loop.js';

/** Tasks of the queue that run at a time: more of them do not make a disk faster. */
const QUEUED_AT_ONCE = 16;

export class Tasks {
  readonly #loop: TurnLoop;
  readonly #waiting = new Fifo<() => void>();
  #running = 0;

  constructor(loop: TurnLoop) {
    this.#loop = loop;
  }

  /** Starts `task` now; `finished` gets its result in a turn, or at once if it never waits. */
  run<T>(task: Task<T>, finished: (value: T) => void): void {
    const inTurn = (step: () => void): void => this.#loop.enqueue(step);
    runTask(task, inTurn, finished, (thrown) => {
      throw thrown;
    });
  }

  /** Starts `task` once few enough of the tasks before it still run. */
  queue<T>(task: Task<T>, finished: (value: T) => void): void {
    const start = (): void => {
      this.#running++;
      this.run(task, (value) => {
        this.#running--;
        this.#startNext();
        finished(value);
      });
    };
    if (this.#running < QUEUED_AT_ONCE) start();
    else this.#waiting.push(start);
  }

  #startNext(): void {
    if (this.#running < QUEUED_AT_ONCE) this.#waiting.shift()?.();
  }
}
