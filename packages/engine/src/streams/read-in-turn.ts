// A read that is asked for now and begins in a turn. Until then whoever asked may cancel it, and the process may stop.

import type { Failure } from '../results.js';
import type { TurnLoop } from '../turn-loop.js';
import type { OpenRead, ReadResult } from './reads.js';

export interface ReadBeginning {
  /** Begins it, in the turn; a failure: it cannot begin. */
  begin(): OpenRead | Failure;
  /** Why there will be no such turn. */
  stopping(): Failure;
}

/** Calls `answer` with what keeps the read from beginning; all else is for `begin`. */
export function readInTurn(
  loop: TurnLoop,
  answer: (result: ReadResult) => void,
  { begin, stopping }: ReadBeginning,
): OpenRead {
  let read: OpenRead | undefined;
  let isCancelled = false;
  loop.enqueue(
    () => {
      if (isCancelled) return;
      const begun = begin();
      if ('code' in begun) answer(begun);
      else read = begun;
    },
    () => {
      if (!isCancelled) answer(stopping());
    },
  );
  return {
    cancel() {
      isCancelled = true;
      read?.cancel();
    },
  };
}
