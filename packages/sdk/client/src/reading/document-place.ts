// How far a watch of a whole document has come: each event leads on from the one before (CommittedOnly).

import { toJson } from '@deltabase/delta';
import type { WireWatchEvent } from '../transport/wire.js';
import { type AnyWatchEvent, composedEvent, deltaEvent } from './events.js';
import { StateBuilder } from './state.js';
import { doesNotFollow, type WatchPlace } from './watch-place.js';

export class DocumentPlace implements WatchPlace<AnyWatchEvent> {
  #seq: number | undefined;
  #builder = new StateBuilder();

  constructor(afterSeq: number | undefined) {
    this.#seq = afterSeq;
  }

  begin(): number | undefined {
    // A state that was cut off is begun anew.
    this.#builder = new StateBuilder();
    return this.#seq;
  }

  forget(): void {
    this.#seq = undefined;
  }

  take({ state, delta, composed }: WireWatchEvent): AnyWatchEvent | undefined {
    if (state != null) {
      const whole = this.#builder.add(state);
      if (whole === undefined) return undefined;
      const { seq, hash, root } = whole;
      this.#seq = seq;
      return { kind: 'state', seq, hash, value: toJson(root) };
    }
    if (composed != null) {
      return this.#leads(composed.fromSeq, composed.seq) ? composedEvent(composed) : undefined;
    }
    if (delta == null) return undefined;
    return this.#leads(delta.seq - 1, delta.seq) ? deltaEvent(delta) : undefined;
  }

  /** Goes on from `fromSeq` to `seq`; `false` if it was there before. Throws UNAVAILABLE if it is not there. */
  #leads(fromSeq: number, seq: number): boolean {
    if (this.#seq !== undefined && seq <= this.#seq) return false;
    if (this.#seq !== fromSeq) throw doesNotFollow({ fromSeq, seq }, this.#seq ?? 'no state');
    this.#seq = seq;
    return true;
  }
}
