// Pauses between attempts: doubled each time up to a maximum, with half of each left to chance, so that clients
// which failed together do not come back together.

/** The pause before attempt `attempt + 1`, ms; `attempt` is at least 1 and `random` in [0, 1). */
export function pauseMs(
  attempt: number,
  range: { readonly minMs: number; readonly maxMs: number },
  random: number,
): number {
  const { minMs, maxMs } = range;
  const full = Math.min(maxMs, minMs * 2 ** Math.min(attempt - 1, DOUBLINGS_MAX));
  return full * (0.5 + random / 2);
}

const DOUBLINGS_MAX = 20;
