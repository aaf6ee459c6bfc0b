// Whether a history of operations on one object could have happened one at a time (Herlihy and Wing 1990): the
// search of Wing and Gong with Lowe's memory of what was tried already (Lowe 2017, "Testing for linearizability").
// An operation without an answer may take effect at any moment after its call, or never. Objects are independent
// of each other, so each document's history is checked alone: that keeps the search small.

/** One operation as its client saw it. Moments are of one clock for the whole history, no two the same. */
export interface Operation<Input, Output> {
  readonly input: Input;
  readonly calledAt: number;
  /** `undefined`: nobody was told how it ended. */
  readonly answer: { readonly at: number; readonly output: Output } | undefined;
}

/** What the object does, one operation at a time. */
export interface Model<State, Input, Output> {
  readonly start: State;
  /**
   * The state behind an operation that gave `output`; `undefined` if it cannot give that in `state`. Without
   * an output: the state behind it, whatever it gave.
   */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** Whether an operation that gave `output` can have changed anything, in whatever state. */
  changes(input: Input, output: Output | undefined): boolean;
  /** Equal for equal states, and for no others. */
  key(state: State): string | number;
  /**
   * Equal for operations that nobody who saw the history can tell apart if they have no answer, so that only the one
   * of them that was called first need be tried; `undefined`: there is no other such one.
   */
  alike?(input: Input): string | undefined;
}

export type Verdict<Input, Output> =
  | { readonly kind: 'linearizable' }
  /** No order explains it. The longest that was found, and an operation that fits nowhere behind it. */
  | {
      readonly kind: 'impossible';
      readonly order: readonly Operation<Input, Output>[];
      readonly stuck: Operation<Input, Output>;
    }
  /** Too many steps: nothing is known, which is no pass. */
  | { readonly kind: 'unknown'; readonly steps: number };

export interface CheckOptions {
  /** Steps of the model after which the search gives up. */
  readonly stepsMax?: number;
}

const STEPS_MAX = 2_000_000;

/** Looks for an order of `operations`, all on one object, that the model allows. */
export function checkLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  { stepsMax = STEPS_MAX }: CheckOptions = {},
): Verdict<Input, Output> {
  return new Search(model, operations, stepsMax).run();
}

/** One choice of the search: an operation that was given the next place. */
interface Choice<State> {
  readonly operation: number;
  readonly before: State;
}

/**
 * Operations are numbered in three sections, each by call: those that change nothing, those that may, and those
 * without an answer. In this order they are tried: what changes nothing stands where it first can, and what has no
 * answer takes effect only where nothing else explains what was seen, and not at all where it changes nothing.
 */
class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #operations: readonly Operation<Input, Output>[];
  /** Where the second section begins, and the third. */
  readonly #changing: number;
  readonly #unanswered: number;
  /** For each operation the one called before it that is alike, and must have its place first; -1: none. */
  readonly #firstOfAlike: Int32Array;
  readonly #stepsMax: number;
  readonly #placed: PlacedSet;
  readonly #tried = new Set<string>();
  readonly #choices: Choice<State>[] = [];
  readonly #pending: PendingAnswers;
  #longest: readonly number[] = [];
  #stuck = 0;
  #state: State;
  #steps = 0;

  constructor(
    model: Model<State, Input, Output>,
    operations: readonly Operation<Input, Output>[],
    stepsMax: number,
  ) {
    const byCall = [...operations].sort((a, b) => a.calledAt - b.calledAt);
    const changes = ({ input, answer }: Operation<Input, Output>): boolean =>
      model.changes(input, answer?.output);
    const answered = byCall.filter(({ answer }) => answer !== undefined);
    const unchanging = answered.filter((operation) => !changes(operation));
    const changing = answered.filter(changes);
    const unanswered = byCall.filter((each) => each.answer === undefined && changes(each));
    this.#model = model;
    this.#operations = [...unchanging, ...changing, ...unanswered];
    this.#changing = unchanging.length;
    this.#unanswered = answered.length;
    this.#firstOfAlike = this.#findAlike();
    this.#stepsMax = stepsMax;
    this.#placed = new PlacedSet(this.#operations.length);
    this.#pending = new PendingAnswers(
      this.#operations.slice(0, answered.length).map(({ answer }) => answer!.at),
    );
    this.#state = model.start;
  }

  run(): Verdict<Input, Output> {
    let next = 0;
    for (;;) {
      const first = this.#pending.first();
      if (first === undefined) return { kind: 'linearizable' };
      const placed = this.#placeFrom(next, this.#operations[first]!.answer!.at);
      if (this.#steps > this.#stepsMax) return { kind: 'unknown', steps: this.#steps };
      if (placed) {
        next = 0;
        continue;
      }
      this.#noteStuck(first);
      const choice = this.#takeBack();
      if (choice === undefined) return this.#impossible();
      next = choice.operation + 1;
    }
  }

  #findAlike(): Int32Array {
    const before = new Int32Array(this.#operations.length).fill(-1);
    const last = new Map<string, number>();
    for (let at = this.#unanswered; at < before.length; at++) {
      const kind = this.#model.alike?.(this.#operations[at]!.input);
      if (kind === undefined) continue;
      before[at] = last.get(kind) ?? -1;
      last.set(kind, at);
    }
    return before;
  }

  /**
   * Gives the next place to an operation, from number `next` on, that was called before the first answer that is
   * still to be explained: whatever was called later cannot stand before it.
   */
  #placeFrom(next: number, before: number): boolean {
    const sections = [this.#changing, this.#unanswered, this.#operations.length];
    let at = next;
    for (const end of sections) {
      for (at = this.#placed.nextFree(at); at < end; at = this.#placed.nextFree(at + 1)) {
        if (this.#operations[at]!.calledAt > before) break;
        if (this.#tryPlace(at)) return true;
      }
      at = Math.max(at, end);
    }
    return false;
  }

  #tryPlace(at: number): boolean {
    const { input, answer } = this.#operations[at]!;
    const alike = this.#firstOfAlike[at]!;
    if (alike >= 0 && !this.#placed.has(alike)) return false;
    this.#steps++;
    const before = this.#state;
    const after = this.#model.step(before, input, answer?.output);
    if (after === undefined) return false;
    if (answer === undefined && after === before) return false;
    this.#placed.add(at);
    if (at >= this.#changing && this.#isTried(after)) {
      this.#placed.delete(at);
      return false;
    }
    this.#choices.push({ operation: at, before });
    this.#state = after;
    if (at < this.#unanswered) this.#pending.explain(at);
    return true;
  }

  /** Whether the search was here before: with the same operations placed and the same state. */
  #isTried(state: State): boolean {
    const place = `${this.#placed.key()} ${this.#model.key(state)}`;
    if (this.#tried.has(place)) return true;
    this.#tried.add(place);
    return false;
  }

  /**
   * Takes back the last choice that could have been another one; `undefined`: there is none. An operation that
   * changes nothing has no better place than the first, because what is behind it does not depend on it.
   */
  #takeBack(): Choice<State> | undefined {
    for (;;) {
      const choice = this.#choices.pop();
      if (choice === undefined) return undefined;
      const { operation, before } = choice;
      this.#placed.delete(operation);
      if (operation < this.#unanswered) this.#pending.restore(operation);
      this.#state = before;
      if (operation >= this.#changing) return choice;
    }
  }

  #noteStuck(operation: number): void {
    if (this.#choices.length < this.#longest.length) return;
    this.#longest = this.#choices.map((choice) => choice.operation);
    this.#stuck = operation;
  }

  #impossible(): Verdict<Input, Output> {
    return {
      kind: 'impossible',
      order: this.#longest.map((at) => this.#operations[at]!),
      stuck: this.#operations[this.#stuck]!,
    };
  }
}

/** The operations that have a place, as bits. */
class PlacedSet {
  readonly #bits: Uint16Array;
  readonly #size: number;

  constructor(size: number) {
    this.#bits = new Uint16Array((size >> 4) + 1);
    this.#size = size;
  }

  add(at: number): void {
    this.#bits[at >> 4]! |= 1 << (at & 15);
  }

  delete(at: number): void {
    this.#bits[at >> 4]! &= ~(1 << (at & 15));
  }

  has(at: number): boolean {
    return (this.#bits[at >> 4]! & (1 << (at & 15))) !== 0;
  }

  /** The first operation from `at` on that has no place yet. */
  nextFree(at: number): number {
    let free = at;
    while (free < this.#size && this.has(free)) free++;
    return free;
  }

  /** Equal for equal sets. Most operations are placed in the order of their calls: the full part is left out. */
  key(): string {
    let from = 0;
    while (this.#bits[from] === 0xffff) from++;
    let to = this.#bits.length;
    while (to > from && this.#bits[to - 1] === 0) to--;
    return `${from} ${String.fromCharCode(...this.#bits.subarray(from, to))}`;
  }
}

/** Answers that no place explains yet, in the order in which they came. */
class PendingAnswers {
  /** Operations by the moment of their answers. */
  readonly #order: readonly number[];
  readonly #rank: readonly number[];
  readonly #explained: Uint8Array;
  #first = 0;

  constructor(moments: readonly number[]) {
    this.#order = [...moments.keys()].sort((a, b) => moments[a]! - moments[b]!);
    const rank = new Array<number>(moments.length);
    for (const [at, operation] of this.#order.entries()) rank[operation] = at;
    this.#rank = rank;
    this.#explained = new Uint8Array(moments.length);
  }

  /** The operation that was answered first of those without a place; `undefined`: all have one. */
  first(): number | undefined {
    while (this.#explained[this.#first] === 1) this.#first++;
    return this.#order[this.#first];
  }

  explain(operation: number): void {
    this.#explained[this.#rank[operation]!] = 1;
  }

  restore(operation: number): void {
    const rank = this.#rank[operation]!;
    this.#explained[rank] = 0;
    this.#first = Math.min(this.#first, rank);
  }
}
