// What the client needs of the process it runs in: time, chance and names. Its logic uses nothing else of the
// kind, so that a test can drive it through hours of simulated time in milliseconds, the same way each time.

import { randomUUID } from 'node:crypto';

export interface World {
  /** Milliseconds of a monotonic clock; for durations. */
  nowMs(): number;
  /** Milliseconds since 1970 by the wall clock; may jump. */
  wallMs(): number;
  /** A fraction, uniform in [0, 1). */
  random(): number;
  /** Calls `run` once, after everything that is already waiting to run in this process. */
  soon(run: () => void): void;
  /** Calls `run` once, after `ms`; returns how to prevent it. */
  after(ms: number, run: () => void): () => void;
  /** A name that nobody else ever uses. */
  uniqueName(): string;
}

/** The world of a Node.js process. */
export const NODE_WORLD: World = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  random: () => Math.random(),
  soon: (run) => void setImmediate(run),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  uniqueName: () => randomUUID(),
};
