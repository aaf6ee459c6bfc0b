// One view of a document (delta/view.ts) as it changes: what it is now, and, while somebody wants each, the steps
// that led there. It is made once for all watchers with the same pointers. A step leads from *any* seq since
// the step before it: between the two nothing of the view has changed.

import { assert } from '@deltabase/base';
import {
  diffWithin,
  encodePatch,
  hashText,
  type Value,
  type Version,
  type ViewFilter,
  valuesEqual,
  viewOf,
} from '@deltabase/delta';
import type { ComposedDelta } from './composed-delta.js';
import type { KeptStep, KeptSteps } from './kept-steps.js';
import type { ViewFeed } from './watch-feed.js';

/** What a view was for a while. */
export interface ViewSpan {
  readonly view: Value;
  /** It is known to have been so from here on. */
  readonly seq: number;
  /** What had been applied to the document then; comparable within one `life`, bytes. */
  readonly appliedBytes: number;
  /** Counts how often another copy of the document took the place of the one before. */
  readonly life: number;
}

export interface ViewLineOptions {
  readonly filter: ViewFilter;
  readonly version: Version;
  readonly appliedBytes: number;
  readonly steps: KeptSteps;
  readonly composedBytesMax: number;
}

export class ViewLine {
  readonly filter: ViewFilter;
  readonly watchers = new Set<ViewFeed>();
  readonly #options: ViewLineOptions;
  #span: ViewSpan;
  /** One behind the other; the last one ends where the present span begins. */
  #steps: KeptStep[] = [];
  /** Watchers that want each step. */
  #each = 0;

  constructor(options: ViewLineOptions) {
    const { filter, version, appliedBytes } = options;
    this.filter = filter;
    this.#options = options;
    const view = viewOf(version.root, filter);
    this.#span = { view, seq: version.seq, appliedBytes, life: 0 };
  }

  /** What the view is now. */
  get span(): ViewSpan {
    return this.#span;
  }

  /** Steps that begin there or later are known. */
  get knownFromSeq(): number {
    return this.#steps[0]?.fromSeq ?? this.#span.seq;
  }

  /** Somebody wants each step from now on; `false`: not any more. */
  wantsEach(is: boolean): void {
    this.#each += is ? 1 : -1;
    if (this.#each === 0) this.#forgetSteps();
  }

  /** The document came to `version` by one delta, and the view is another one. */
  applied({ seq, root }: Version, appliedBytes: number): void {
    const view = viewOf(root, this.filter);
    const { view: before, seq: fromSeq, life } = this.#span;
    if (this.#each > 0) this.#keep(fromSeq, seq, before, view);
    this.#span = { view, seq, appliedBytes, life };
  }

  /** The document is at `version`, and what happened since is not known. */
  replaced({ seq, root }: Version, appliedBytes: number): void {
    const { view: before, life } = this.#span;
    const view = viewOf(root, this.filter);
    this.#forgetSteps();
    const isSame = valuesEqual(before, view);
    this.#span = { view: isSame ? before : view, seq, appliedBytes, life: life + 1 };
  }

  /**
   * What leads on from `seq`, before the present span; `anew`: only the view as a whole, as what leads on would be too
   * large; `undefined`: it is not kept.
   */
  stepFrom(seq: number): ComposedDelta | 'anew' | undefined {
    const steps = this.#steps;
    if (seq < this.knownFromSeq) return undefined;
    let low = 0;
    let high = steps.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (steps[middle]!.seq > seq) high = middle;
      else low = middle + 1;
    }
    const found = steps[low];
    assert(found !== undefined && seq >= found.fromSeq && seq < found.seq, 'steps have no gap');
    return found.step ?? 'anew';
  }

  #keep(fromSeq: number, seq: number, before: Value, after: Value): void {
    const patch = diffWithin(before, after, this.#options.composedBytesMax);
    assert(patch?.length !== 0, 'a view that is touched is another one');
    const step: KeptStep = {
      fromSeq,
      seq,
      step: patch && {
        ...{ fromSeq, seq, hash: hashText(after), encoded: undefined },
        patch: encodePatch(patch),
      },
      forgotten: () => {
        const oldest = this.#steps.shift();
        assert(oldest === step, 'the oldest step of a view is forgotten first');
      },
    };
    this.#steps.push(step);
    this.#options.steps.keep(step);
  }

  #forgetSteps(): void {
    for (const step of this.#steps) this.#options.steps.drop(step);
    this.#steps = [];
  }
}
