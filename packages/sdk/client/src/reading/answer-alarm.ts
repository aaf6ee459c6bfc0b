// A node that stands still keeps its connections open and says nothing: a stream from it would be waited for without end.
// This ends it, unless something comes in time.

import { DeltabaseError } from '@deltabase/base';
import type { World } from '../world.js';

export class AnswerAlarm {
  /** Ends the call: the caller gave it up, or nothing came in time. */
  readonly signal: AbortSignal;
  readonly #world: World;
  readonly #rung = new AbortController();
  #cancel: (() => void) | undefined;

  constructor(world: World, signal: AbortSignal | undefined) {
    this.#world = world;
    const { signal: rung } = this.#rung;
    this.signal = signal === undefined ? rung : AbortSignal.any([signal, rung]);
  }

  /** Something must come within `ms`, which is no time at all if it is below 0, and for ever if it is infinite. */
  set(ms: number): void {
    this.stop();
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#world.after(Math.max(0, ms), () => this.#rung.abort());
  }

  /** Something has come, or is not waited for now. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Whether nothing came in time. */
  get hasRung(): boolean {
    return this.#rung.signal.aborted;
  }

  /** What the call ended with, for its caller. */
  explain(thrown: unknown): unknown {
    if (!this.hasRung) return thrown;
    return new DeltabaseError('DEADLINE_EXCEEDED', 'the node says nothing', { cause: thrown });
  }
}
