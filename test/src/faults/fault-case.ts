// A way in which a real cluster is harmed, and what a run of it needs. Every case ends with the checks of
// token-load.ts, or with as much; it rejects if a promise was not kept.

import type { Prng } from '@deltabase/base';

export interface FaultCase {
  readonly name: string;
  /** What is done, for people. */
  readonly what: string;
  /** Why this machine cannot do it; `undefined`: it can. */
  readonly unavailable?: () => Promise<string | undefined>;
  /** Does it. Resolves with what happened, in a line or a table. */
  run(context: FaultContext): Promise<string>;
}

export interface FaultContext {
  /** What is done to whom and when; the cluster itself takes its own time. */
  readonly random: Prng;
  /** Whether round number `round`, from 0, is due, of a case that has `short` of them unless told otherwise. */
  again(round: number, short: number): boolean;
  progress(line: string): void;
}

/** How long cases go on; if neither is given, for as long as their short forms do. */
export interface Effort {
  readonly rounds?: number | undefined;
  readonly minutes?: number | undefined;
}

/** Counts rounds until `effort` is done, beginning now. */
export function roundsOf({ rounds, minutes }: Effort): FaultContext['again'] {
  const endMs = minutes === undefined ? undefined : performance.now() + minutes * 60_000;
  return (round, short) => {
    if (rounds !== undefined) return round < rounds;
    return endMs === undefined ? round < short : performance.now() < endMs;
  };
}
