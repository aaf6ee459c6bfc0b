// Waiting for conditions instead of for time.

const DEADLINE_MS = 10_000;

/** Waits until `is` holds; throws if that takes too long. */
export async function until(is: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!is()) {
    if (performance.now() > deadline) throw new Error(`not reached in time: ${is}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
