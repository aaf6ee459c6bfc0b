// Who is to be called at which moment. Those of one moment are called together, and one timer stands for them.

export interface DueTimesHost {
  nowMs(): number;
  /** Runs a step in a turn, `delayMs` from now or a little later. */
  after(delayMs: number, step: () => void): void;
}

export class DueTimes<T> {
  readonly #host: DueTimesHost;
  readonly #due: (one: T) => void;
  readonly #moments = new Map<T, number>();
  readonly #byMoment = new Map<number, Set<T>>();

  /** Calls `due` with each that was set, once its moment has come. */
  constructor(host: DueTimesHost, due: (one: T) => void) {
    this.#host = host;
    this.#due = due;
  }

  /** `one` is due at `dueMs` by the monotonic clock, and not when it was before. */
  set(one: T, dueMs: number): void {
    if (this.#moments.get(one) === dueMs) return;
    this.delete(one);
    this.#moments.set(one, dueMs);
    const others = this.#byMoment.get(dueMs);
    if (others !== undefined) {
      others.add(one);
      return;
    }
    this.#byMoment.set(dueMs, new Set([one]));
    this.#host.after(Math.max(0, dueMs - this.#host.nowMs()), () => this.#reached(dueMs));
  }

  /** `one` is not due any more. */
  delete(one: T): void {
    const dueMs = this.#moments.get(one);
    if (dueMs === undefined) return;
    this.#moments.delete(one);
    this.#byMoment.get(dueMs)?.delete(one);
  }

  #reached(dueMs: number): void {
    const all = this.#byMoment.get(dueMs) ?? [];
    this.#byMoment.delete(dueMs);
    for (const one of all) {
      this.#moments.delete(one);
      this.#due(one);
    }
  }
}
