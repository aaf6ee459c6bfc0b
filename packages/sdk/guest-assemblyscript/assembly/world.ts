// Time and chance: both are of the message and are kept with it, so that a replay sees the same.

import * as host from './host';

/** Milliseconds since 1970; never earlier than in an earlier message of the document. */
export function now(): f64 {
  return host.now();
}

/** 32 random bits. */
export function random(): u32 {
  return <u32>host.random();
}

/** A whole number, uniform in [0, bound); `bound` is at least 1. */
export function randomBelow(bound: u32): u32 {
  assert(bound > 0, 'a bound is at least 1');
  // The last, incomplete run of values is drawn again, so that none is more likely.
  const excess = <u32>(((<u64>1) << 32) % <u64>bound);
  while (true) {
    const bits = random();
    if (excess == 0 || bits < 0 - excess) return bits % bound;
  }
}
