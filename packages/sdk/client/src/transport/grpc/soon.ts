// What happens at once is said at once: in one frame, once all that is happening now is over.

/** Has `run` called once what is happening now is over, however often it is asked for until then. */
export function soon(run: () => void): () => void {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    queueMicrotask(() => {
      isAsked = false;
      run();
    });
  };
}
