// How far a watch of a view has come. A step fits what the receiver has if it begins there or before: in between
// nothing has changed. The view is folded here, and held against the hash of each step and against the pointers; behind a
// seq for which the caller has the view, that begins with the first view that comes.

import { DeltabaseError } from '@deltabase/base';
import {
  applyPatch,
  hashText,
  parsePatch,
  toJson,
  type Value,
  type ViewFilter,
  viewOf,
} from '@deltabase/delta';
import type { WireComposedDelta, WireStatePiece, WireWatchEvent } from '../transport/wire.js';
import { type AnyWatchEvent, composedEvent } from './events.js';
import { StateBuilder } from './state.js';
import { doesNotFollow, type WatchPlace } from './watch-place.js';

export class ViewPlace implements WatchPlace<AnyWatchEvent> {
  readonly #filter: ViewFilter;
  #seq: number | undefined;
  /** The view there; `undefined`: only the caller has it. */
  #view: Value | undefined;
  #builder = new StateBuilder();

  constructor(filter: ViewFilter, afterSeq: number | undefined) {
    this.#filter = filter;
    this.#seq = afterSeq;
  }

  begin(): number | undefined {
    // A view that was cut off is begun anew.
    this.#builder = new StateBuilder();
    return this.#seq;
  }

  forget(): void {
    this.#seq = undefined;
    this.#view = undefined;
  }

  take({ state, delta, composed, progress }: WireWatchEvent): AnyWatchEvent | undefined {
    if (delta != null) throw notOfView();
    if (state != null) return this.#takePiece(state);
    if (composed != null) return this.#takeStep(composed);
    if (progress == null || !this.#leads(this.#seq ?? progress.seq, progress.seq)) return undefined;
    return { kind: 'progress', seq: progress.seq };
  }

  #takePiece(state: WireStatePiece): AnyWatchEvent | undefined {
    const whole = this.#builder.add(state);
    if (whole === undefined) return undefined;
    const { seq, hash, root } = whole;
    if (hashText(viewOf(root, this.#filter)) !== hash) throw notOfView();
    this.#seq = seq;
    this.#view = root;
    return { kind: 'state', seq, hash, value: toJson(root) };
  }

  #takeStep(step: WireComposedDelta): AnyWatchEvent | undefined {
    const { fromSeq, seq, patch, hash } = step;
    if (!this.#leads(fromSeq, seq)) return undefined;
    if (this.#view !== undefined) {
      this.#view = applyPatch(this.#view, parsePatch(patch));
      if (hashText(this.#view) !== hash) throw otherHash(seq);
    }
    return composedEvent(step);
  }

  /** Goes on from `fromSeq` or later to `seq`; `false` if it was there before. Throws UNAVAILABLE if it is before it. */
  #leads(fromSeq: number, seq: number): boolean {
    if (this.#seq !== undefined && seq <= this.#seq) return false;
    if (this.#seq === undefined || this.#seq < fromSeq) {
      throw doesNotFollow({ fromSeq, seq }, this.#seq ?? 'no view');
    }
    this.#seq = seq;
    return true;
  }
}

function notOfView(): DeltabaseError {
  const why =
    'the node sent more than what is at the pointers: it is older than this client, upgrade it';
  return new DeltabaseError('INTERNAL', why);
}

function otherHash(seq: number): DeltabaseError {
  const why = `the view at seq ${seq} does not have the hash that the node gave: report this`;
  return new DeltabaseError('DATA_CORRUPT', why, { details: { seq } });
}
