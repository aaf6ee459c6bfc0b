// A disk in memory that answers at once, or when it is told to, and tasks run on it.

import { type DiskOperation, runTask, type Task } from '@deltabase/engine';
import { MemoryDisk, SortedMap } from '@deltabase/testkit';

/** A disk that answers from inside the call, which tasks allow. */
export function promptDisk(operations: readonly DiskOperation[] = []): MemoryDisk {
  const disk = new MemoryDisk({ later: (_kind, run) => run() }, new SortedMap());
  if (operations.length > 0) disk.write(operations, () => {});
  return disk;
}

/** A disk whose answers wait until `run`. */
export class SlowDisk {
  readonly disk: MemoryDisk;
  readonly #waiting: Array<() => void> = [];

  constructor() {
    this.disk = new MemoryDisk({ later: (_kind, run) => void this.#waiting.push(run) });
  }

  /** Answers that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Gives the oldest answer. */
  step(): void {
    this.#waiting.shift()?.();
  }

  /** Gives answers until none is asked for. */
  run(): void {
    while (this.#waiting.length > 0) this.step();
  }
}

/** The result of a task that waits for a prompt disk only; throws what it throws. */
export function resultOf<T>(task: Task<T>): T {
  let ended: { value: T } | { thrown: unknown } | undefined;
  runTask(
    task,
    (step) => step(),
    (value) => {
      ended = { value };
    },
    (thrown) => {
      ended = { thrown };
    },
  );
  if (ended === undefined) throw new Error('the task waits for something');
  if ('thrown' in ended) throw ended.thrown;
  return ended.value;
}

export function put(key: Uint8Array, value: Uint8Array): DiskOperation {
  return { kind: 'put', key, value };
}

export function del(key: Uint8Array): DiskOperation {
  return { kind: 'del', key };
}
