// Iterators over what comes from the cluster. A generator that waits cannot be ended from outside; these can:
// to leave the iteration ends the call behind it at once, also while it waits for the next event.

/** An iterator over what `generate` yields; it gets the signal that ends it. */
export function interruptible<T>(
  signal: AbortSignal | undefined,
  generate: (signal: AbortSignal) => AsyncGenerator<T, void, void>,
): AsyncIterableIterator<T> {
  const left = new AbortController();
  const either = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  const generator = generate(either);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        return await generator.next();
      } catch (thrown) {
        if (left.signal.aborted) return { done: true, value: undefined };
        throw thrown;
      }
    },
    async return() {
      left.abort();
      try {
        await generator.return();
      } catch {
        // It ends with the error that ending it caused; whoever left does not want to know.
      }
      return { done: true, value: undefined };
    },
  };
}
