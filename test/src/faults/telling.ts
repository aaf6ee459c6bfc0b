// What cases share: whom they strike, and how they say what happened.

import type { Prng } from '@deltabase/base';
import type { TokenLoadReport } from '../token-load.js';

export function oneOf<T>(all: readonly T[], random: Prng): T {
  return all[random.below(all.length)]!;
}

/** At least one of them, one more often than several. */
export function someOf<T>(all: readonly T[], random: Prng): T[] {
  const count = 1 + random.below(1 + random.below(all.length));
  const left = [...all];
  return Array.from({ length: count }, () => left.splice(random.below(left.length), 1)[0]!);
}

/** What was done, and what the clients saw of it. */
export function told(what: string, report: TokenLoadReport): string {
  const { acknowledged, refused, unknown, reads, longestGapMs } = report;
  return (
    `${what}; ${acknowledged} acknowledged, ${refused} refused, ${unknown} of unknown fate, ${reads} reads; ` +
    `longest time without an acknowledgement ${longestGapMs} ms`
  );
}
