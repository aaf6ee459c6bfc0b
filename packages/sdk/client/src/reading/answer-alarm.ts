// A node that stands still keeps its connections open and says nothing: a stream from it would be waited for without end.
// This ends it, unless something comes in time.

import { DeltabaseError } from '@deltabase/base';
import type { World } from '../world.js';
import { CallSignal } from './call-signal.js';

export class AnswerAlarm {
  readonly #world: World;
  readonly #call: CallSignal;
  #cancel: (() => void) | undefined;
  #hasRung = false;

  constructor(world: World, caller: AbortSignal | undefined) {
    this.#world = world;
    this.#call = new CallSignal(caller);
  }

  /** Ends the call: its caller gave it up, or nothing came in time. */
  get signal(): AbortSignal {
    return this.#call.signal;
  }

  /** Whether nothing came in time. */
  get hasRung(): boolean {
    return this.#hasRung;
  }

  /** Something must come within `ms`. */
  set(ms: number): void {
    this.stop();
    this.#cancel = this.#world.after(Math.max(0, ms), () => {
      this.#hasRung = true;
      this.#call.abort();
    });
  }

  /** Something has come, or is not waited for now. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** The call is over. */
  close(): void {
    this.stop();
    this.#call.release();
  }

  /** What the call ended with, for its caller. */
  explain(thrown: unknown): unknown {
    if (!this.#hasRung) return thrown;
    return new DeltabaseError('DEADLINE_EXCEEDED', 'the node says nothing', { cause: thrown });
  }
}
