// Iterators over what comes from the cluster. A generator that waits cannot be ended from outside; these can:
// to leave the iteration ends the call behind it at once, also while it waits for the next event.

/** An iterator over what `generate` yields; it gets the signal that ends it. */
export function interruptible<T>(
  signal: AbortSignal | undefined,
  generate: (signal: AbortSignal) => AsyncGenerator<T, void, void>,
): AsyncIterableIterator<T> {
  let isLeft = false;
  // AbortSignal.any would stay with the caller's signal for as long as that lives.
  const end = new AbortController();
  const giveUp = (): void => end.abort(signal?.reason);
  signal?.addEventListener('abort', giveUp, { once: true });
  if (signal?.aborted) giveUp();
  const release = (): void => signal?.removeEventListener('abort', giveUp);
  const generator = generate(end.signal);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        const result = await generator.next();
        if (result.done) release();
        return result;
      } catch (thrown) {
        release();
        if (isLeft) return { done: true, value: undefined };
        throw thrown;
      }
    },
    async return() {
      isLeft = true;
      end.abort();
      release();
      try {
        await generator.return();
      } catch {
        // It ends with the error that ending it caused; whoever left does not want to know.
      }
      return { done: true, value: undefined };
    },
  };
}
