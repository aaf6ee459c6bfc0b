// Something that is asked for now and begins in a turn. Until then whoever asked may cancel it, and the process may stop.

import type { Failure } from '../results.js';
import type { TurnLoop } from '../turn-loop.js';
import type { Watch, WatchSink } from './watcher.js';

interface Cancellable {
  cancel(): void;
}

export interface Beginning<T> {
  /** Begins it, in the turn; a failure: it cannot begin. */
  begin(): T | Failure;
  /** Why there will be no such turn. */
  stopping(): Failure;
}

export interface Asked<T> extends Cancellable {
  /** What has begun; `undefined` until then. */
  readonly begun: T | undefined;
}

/** Calls `refused` with what keeps it from beginning, unless it was cancelled; all else is for `begin`. */
export function beginInTurn<T extends Cancellable>(
  loop: TurnLoop,
  refused: (why: Failure) => void,
  { begin, stopping }: Beginning<T>,
): Asked<T> {
  let begun: T | undefined;
  let isCancelled = false;
  loop.enqueue(
    () => {
      if (isCancelled) return;
      const made = begin();
      if ('code' in made) refused(made);
      else begun = made;
    },
    () => {
      if (!isCancelled) refused(stopping());
    },
  );
  return {
    get begun() {
      return begun;
    },
    cancel() {
      isCancelled = true;
      begun?.cancel();
    },
  };
}

/** The same of a watch, whose sink hears nothing more once it is cancelled. */
export function watchInTurn(loop: TurnLoop, sink: WatchSink, beginning: Beginning<Watch>): Watch {
  const asked = beginInTurn(loop, (why) => sink.end(why), beginning);
  return {
    resume: () => asked.begun?.resume(),
    // What carries others has given something: it has begun.
    carry: (receivers) => asked.begun?.carry(receivers),
    cancel: () => asked.cancel(),
  };
}
