// When the deltas of a tree are where: each is on its way down a random path, from the leader to one watcher. A process gives
// a delta to its receivers one after the other, at what each costs, once it is done with those before (Lindley's recursion for the
// queue of a single server); then the network takes its time. Seeded: the same tree gives the same figures.

import type { Prng } from '@deltabase/base';
import { quantile } from '../harness.js';
import type { Demand, Level, Process, Tree } from './tree.js';

/** What a hop takes beside the queues, ms: log-normal by its median and 99th percentile. */
export interface Hop {
  readonly medianMs: number;
  readonly p99Ms: number;
}

export interface Lateness {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface DeliveryOptions {
  readonly process: Process;
  readonly demand: Demand;
  readonly hop: Hop;
  readonly deltas: number;
  /** Paths that are followed. */
  readonly paths: number;
}

/** The 99th percentile of the standard normal distribution. */
const Z99 = 2.326;

/** How late deltas are when they leave each level and have come to what is below: the last is the watcher's. */
export function simulate(tree: Tree, options: DeliveryOptions, random: Prng): Lateness[] {
  const { demand, deltas, paths } = options;
  const late: number[][] = tree.levels.map(() => []);
  for (let path = 0; path < paths; path++) {
    // Writers are not in step: messages come at random (a Poisson process).
    let sentMs: number[] = [];
    for (let at = 0, ms = 0; at < deltas; at++) {
      ms += (-Math.log(1 - random.fraction()) * 1000) / demand.rate;
      sentMs.push(ms);
    }
    const begunMs = sentMs;
    for (const [depth, level] of tree.levels.entries()) {
      const { deliverSeconds, feedSeconds } = options.process;
      const isLast = depth === tree.levels.length - 1;
      const eachMs = 1000 * (isLast ? deliverSeconds : feedSeconds);
      sentMs = passLevel(sentMs, { level, eachMs }, options, random);
      for (const [at, ms] of sentMs.entries()) late[depth]!.push(ms - begunMs[at]!);
    }
  }
  return late.map((all) => {
    all.sort((a, b) => a - b);
    return { p50Ms: quantile(all, 0.5), p99Ms: quantile(all, 0.99) };
  });
}

/** When deltas that come to a process are at one of its receivers. They stay in order. */
function passLevel(
  comeMs: readonly number[],
  { level: { receivers }, eachMs }: { readonly level: Level; readonly eachMs: number },
  { process, hop }: DeliveryOptions,
  random: Prng,
): number[] {
  const takeMs = 1000 * process.takeSeconds;
  // Its place among the receivers does not change.
  const place = (1 + random.below(receivers)) / receivers;
  let freeMs = 0;
  let lastMs = 0;
  return comeMs.map((ms) => {
    const beginMs = Math.max(ms, freeMs) + takeMs;
    freeMs = beginMs + receivers * eachMs;
    const leaveMs = beginMs + place * receivers * eachMs;
    lastMs = Math.max(lastMs, leaveMs + hopMs(hop, random));
    return lastMs;
  });
}

function hopMs({ medianMs, p99Ms }: Hop, random: Prng): number {
  const sigma = Math.log(p99Ms / medianMs) / Z99;
  return medianMs * Math.exp(sigma * normal(random));
}

/** A standard normal number (Box and Muller 1958). */
function normal(random: Prng): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.fraction()));
  return radius * Math.cos(2 * Math.PI * random.fraction());
}
