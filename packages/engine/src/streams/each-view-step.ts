// Every step of a view: from what is kept of it, or, for who lags by more than that, made from the history, a part at a
// time. What was made and cannot be given at once is not kept, but for the state that the next part is made from,
// if there is room (held-versions.ts).

import type { Version } from '@deltabase/delta';
import type { Failure } from '../results.js';
import type { ComposedDelta } from './composed-delta.js';
import type { HeldVersions, VersionHolder } from './held-versions.js';
import type { ViewSteps } from './view-catch-up.js';
import type { ViewLine } from './view-line.js';
import type { ViewNews, ViewSource } from './view-source.js';

export interface EachViewStepOptions {
  readonly line: ViewLine;
  readonly versions: HeldVersions;
  /** Makes steps behind `fromSeq`, of a document that is as `from` there if that is known. */
  makeSteps(
    fromSeq: number,
    from: Version | undefined,
    done: (made: ViewSteps | Failure) => void,
  ): void;
  /** There is more to give. */
  readonly hungry: () => void;
  /** The watch cannot go on. */
  readonly failed: (why: Failure) => void;
}

const LATER: ViewNews = { kind: 'later' };
const ANEW: ViewNews = { kind: 'anew' };

/** Steps made from the history, to be given now or never. */
interface Made {
  readonly steps: ComposedDelta[];
  readonly end: Version;
  readonly isCut: boolean;
}

export class EachViewStep implements ViewSource, VersionHolder {
  readonly #options: EachViewStepOptions;
  #made: Made | undefined;
  /** The document as it was where what was made before ended. */
  #end: Version | undefined;
  #isMaking = false;
  #ended = false;

  constructor(options: EachViewStepOptions) {
    this.#options = options;
    options.line.wantsEach(true);
  }

  next(seq: number): { readonly news: ViewNews; readonly cost: number } {
    return { news: this.#newsFrom(seq), cost: 0 };
  }

  reached(): void {
    this.#release();
    this.#made = undefined;
  }

  rest(): void {
    const made = this.#made;
    if (made === undefined) return;
    this.#made = undefined;
    if (made.steps.length > 0 || made.isCut) return;
    this.#release();
    if (this.#options.versions.hold(made.end.root, this)) this.#end = made.end;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.reached();
    this.#options.line.wantsEach(false);
  }

  letGo(): void {
    this.#end = undefined;
  }

  #newsFrom(seq: number): ViewNews {
    const kept = this.#options.line.stepFrom(seq);
    if (kept === 'anew') return ANEW;
    if (kept !== undefined) {
      this.reached();
      return { kind: 'step', step: kept };
    }
    const made = this.#made;
    if (made !== undefined) {
      const step = made.steps.shift();
      if (step !== undefined) return { kind: 'step', step };
      if (made.isCut) return ANEW;
      this.rest();
    }
    const end = made?.end ?? this.#end;
    if (end !== undefined && end.seq > seq) return { kind: 'unchanged', seq: end.seq };
    this.#make(seq);
    return LATER;
  }

  #make(seq: number): void {
    if (this.#isMaking) return;
    this.#isMaking = true;
    const from = this.#end?.seq === seq ? this.#end : undefined;
    this.#options.makeSteps(seq, from, (made) => {
      this.#isMaking = false;
      if (this.#ended) return;
      if (made.kind === 'failed') {
        this.#options.failed(made);
        return;
      }
      this.#release();
      this.#made = { steps: [...made.steps], end: made.end, isCut: made.isCut };
      this.#options.hungry();
    });
  }

  #release(): void {
    if (this.#end !== undefined) this.#options.versions.release(this.#end.root, this);
    this.#end = undefined;
  }
}
