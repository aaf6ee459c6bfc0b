// @deltabase/driver-system: the Clock and Random ports on Node.js.

import { randomFillSync } from 'node:crypto';
import type { Clock, Random } from '@deltabase/engine';

/** Real time: `performance.now`, `Date.now` and Node's timers. */
export function makeSystemClock(): Clock {
  return {
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    soon: (run) => void setImmediate(run),
    after: (delayMs, run) => void setTimeout(run, delayMs).unref(),
    every(intervalMs, run) {
      const timer = setInterval(run, intervalMs);
      return () => clearInterval(timer);
    },
  };
}

/** The operating system's randomness, drawn a page at a time. */
export function makeSystemRandom(): Random {
  const pool = new Uint32Array(1024);
  let at = pool.length;
  return {
    next() {
      if (at === pool.length) {
        randomFillSync(pool);
        at = 0;
      }
      return pool[at++]!;
    },
  };
}
