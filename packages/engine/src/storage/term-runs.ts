// The terms of a log, which change seldom: one run for each stretch of entries of the same term. So a term is
// known without reading its entry, however old that is.

import { assert } from '@deltabase/base';

interface Run {
  readonly firstIndex: number;
  readonly term: number;
}

export class TermRuns {
  /** Oldest first; never empty. */
  #runs: Run[];

  /** Runs that begin with the entry at `index`. */
  constructor(index: number, term: number) {
    this.#runs = [{ firstIndex: index, term }];
  }

  /** The term at `index`, which is not before the first one. */
  at(index: number): number {
    assert(index >= this.#runs[0]!.firstIndex, 'terms before the log are not known');
    return this.#runs[this.#runAt(index)]!.term;
  }

  /** The entry behind the last one has this term. */
  append(index: number, term: number): void {
    const last = this.#runs.at(-1)!;
    assert(term >= last.term, 'terms never go back in a log (Raft §5.4)');
    if (term > last.term) this.#runs.push({ firstIndex: index, term });
  }

  /** Entries from `index` on are gone. */
  truncate(index: number): void {
    assert(index > this.#runs[0]!.firstIndex, 'the first term stays');
    while (this.#runs.at(-1)!.firstIndex >= index) this.#runs.pop();
  }

  /** Entries before `index` are gone; it is the first one now. */
  compact(index: number): void {
    const at = this.#runAt(index);
    const { term } = this.#runs[at]!;
    this.#runs = [{ firstIndex: index, term }, ...this.#runs.slice(at + 1)];
  }

  /** The place of the run that holds `index`. */
  #runAt(index: number): number {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#runs[middle]!.firstIndex <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
