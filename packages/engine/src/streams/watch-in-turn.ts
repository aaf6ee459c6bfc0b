// A watch that is asked for now and begins in a turn. Until then whoever asked may cancel it, and the process may stop.

import type { Failure } from '../results.js';
import type { TurnLoop } from '../turn-loop.js';
import type { Watch, WatchSink } from './watcher.js';

export interface WatchBeginning {
  /** Begins it, in the turn; a failure: it cannot begin. */
  begin(): Watch | Failure;
  /** Why there will be no such turn. */
  stopping(): Failure;
}

/** A sink whose watch is cancelled hears nothing more. */
export function watchInTurn(
  loop: TurnLoop,
  sink: WatchSink,
  { begin, stopping }: WatchBeginning,
): Watch {
  let watch: Watch | undefined;
  let isCancelled = false;
  loop.enqueue(
    () => {
      if (isCancelled) return;
      const begun = begin();
      if ('code' in begun) sink.end(begun);
      else watch = begun;
    },
    () => {
      if (!isCancelled) sink.end(stopping());
    },
  );
  return {
    resume: () => watch?.resume(),
    // What carries others has given something: it has begun.
    carry: (receivers) => watch?.carry(receivers),
    cancel() {
      isCancelled = true;
      watch?.cancel();
    },
  };
}
