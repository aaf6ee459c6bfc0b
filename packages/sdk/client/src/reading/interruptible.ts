// Iterators over what comes from the cluster. A generator that waits cannot be ended from outside; these can:
// to leave the iteration ends the call behind it at once, also while it waits for the next event.

import { CallSignal } from './call-signal.js';

/** An iterator over what `generate` yields; it gets the signal that ends it. */
export function interruptible<T>(
  signal: AbortSignal | undefined,
  generate: (signal: AbortSignal) => AsyncGenerator<T, void, void>,
): AsyncIterableIterator<T> {
  let isLeft = false;
  const call = new CallSignal(signal);
  const generator = generate(call.signal);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        const result = await generator.next();
        if (result.done) call.release();
        return result;
      } catch (thrown) {
        call.release();
        if (isLeft) return { done: true, value: undefined };
        throw thrown;
      }
    },
    async return() {
      isLeft = true;
      call.abort();
      call.release();
      try {
        await generator.return();
      } catch {
        // It ends with the error that ending it caused; whoever left does not want to know.
      }
      return { done: true, value: undefined };
    },
  };
}
