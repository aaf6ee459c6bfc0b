// One step from where a receiver is to the newest view, whatever lies between: the difference of two views. The
// earlier one is held for a watcher that lags, if there is room (held-versions.ts); without it the view is given anew.

import { bytesOf, valuesEqual } from '@deltabase/delta';
import { type ComposedDelta, differenceOf } from './composed-delta.js';
import type { DocumentViews } from './document-views.js';
import type { HeldVersions, VersionHolder } from './held-versions.js';
import type { TurnCache } from './turn-cache.js';
import type { ViewLine, ViewSpan } from './view-line.js';
import type { ViewNews, ViewSource } from './view-source.js';
import { COMPARE_BYTES, COMPARE_PART } from './watch-feed.js';

export interface NewestViewStepOptions {
  readonly line: ViewLine;
  readonly views: DocumentViews;
  readonly versions: HeldVersions;
  readonly composedBytesMax: number;
  /** What was made in this turn. */
  readonly made: TurnCache<ViewLine, ComposedDelta | undefined>;
}

export class NewestViewStep implements ViewSource, VersionHolder {
  readonly #options: NewestViewStepOptions;
  /** What the receiver has, while it is at hand. */
  #span: ViewSpan | undefined;
  /** It is not the present view any more, and counted. */
  #isHeld = false;

  constructor(options: NewestViewStepOptions) {
    this.#options = options;
  }

  next(): { readonly news: ViewNews; readonly cost: number } {
    const from = this.#span;
    if (from === undefined) return { news: { kind: 'anew' }, cost: 0 };
    const { line, views, made } = this.#options;
    if (valuesEqual(from.view, line.span.view)) {
      return { news: { kind: 'unchanged', seq: views.seq }, cost: 0 };
    }
    let cost = 0;
    const step = made.find(line, from.seq, () => {
      const found = this.#difference(from);
      cost = found.cost;
      return found.step;
    });
    return { news: step === undefined ? { kind: 'anew' } : { kind: 'step', step }, cost };
  }

  reached(span: ViewSpan): void {
    this.end();
    this.#span = span;
  }

  rest(): void {
    const span = this.#span;
    const { line, versions } = this.#options;
    if (span === undefined || this.#isHeld || span.view === line.span.view) return;
    this.#isHeld = versions.hold(span.view, this);
    if (!this.#isHeld) this.#span = undefined;
  }

  end(): void {
    const span = this.#span;
    if (this.#isHeld && span !== undefined) this.#options.versions.release(span.view, this);
    this.#isHeld = false;
    this.#span = undefined;
  }

  letGo(): void {
    this.#isHeld = false;
    this.#span = undefined;
  }

  #difference(from: ViewSpan): { step: ComposedDelta | undefined; cost: number } {
    const { line, views, composedBytesMax: bytesMax } = this.#options;
    const { view, life } = line.span;
    const bytes = bytesOf(view);
    const applied = views.local.appliedBytes - from.appliedBytes;
    const rewrittenBytes = life === from.life ? Math.min(applied, bytes) : bytes;
    const before = { seq: from.seq, root: from.view };
    const after = { seq: views.seq, root: view };
    const step = differenceOf(before, after, { rewrittenBytes, bytesMax });
    return { step, cost: COMPARE_BYTES + rewrittenBytes * COMPARE_PART };
  }
}
