// Work with waiting in between, written top to bottom without promises, so that the order of everything is
// the order of events: a task is a generator that yields what it waits for. Each step of it runs in a turn.

/** Something to wait for: starts it, and calls `done` once, later. */
export type Wait<T> = (done: (value: T) => void) => void;

/** A task that ends with a `T`. */
export type Task<T> = Generator<Wait<unknown>, T, unknown>;

/** Waits inside a task: `const rows = yield* wait(...)`. */
export function* wait<T>(start: Wait<T>): Task<T> {
  return (yield start as Wait<unknown>) as T;
}

/**
 * Runs `task` now until it first waits, and goes on with it through `inTurn` each time; `finished` gets its
 * result. What the task throws goes to `failed`.
 */
export function runTask<T>(
  task: Task<T>,
  inTurn: (step: () => void) => void,
  finished: (value: T) => void,
  failed: (thrown: unknown) => void,
): void {
  function advance(value: unknown): void {
    let next: IteratorResult<Wait<unknown>, T>;
    try {
      next = task.next(value);
    } catch (thrown) {
      failed(thrown);
      return;
    }
    if (next.done) finished(next.value);
    else next.value((answer) => inTurn(() => advance(answer)));
  }
  advance(undefined);
}
