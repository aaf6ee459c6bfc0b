// Writers on a real cluster while nodes fail: every few seconds a random node is killed, or meets another fault; or while
// they are replaced, one after the other. In the end everything that was acknowledged is there, once, on all copies
// (token-load.ts).

import { makePrng, type Prng } from '@deltabase/base';
import type { ProcessCluster } from '@deltabase/testkit';
import { leadersSettled } from './calm.js';
import { sleep, withCluster } from './scratch.js';
import { type Fault, type FaultCounts, inflict } from './storm-faults.js';
import { REPLACEMENT_LIMITS, type Replacement, replaceOldest } from './storm-replacements.js';
import { type TokenLoad, type TokenLoadReport, underTokenLoad } from './token-load.js';

export interface StormOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Default 64. */
  readonly writers?: number;
  /** Default 200. */
  readonly documents?: number;
  /** What nodes meet, one of these at a time. Default: `kill`. */
  readonly faults?: readonly Fault[];
  /** Instead of faults nodes are replaced by fresh ones, as long as the storm lasts, and each of the first at least. */
  readonly replaces?: boolean;
  /** Between two faults or replacements, ms; a long one delays the next. Default 3000. */
  readonly faultEveryMs?: number;
  /** The longest that a node is paused, ms. Default 5000. */
  readonly pauseMsMax?: number;
  readonly progress?: (line: string) => void;
}

export interface StormReport extends TokenLoadReport {
  readonly faults: FaultCounts;
  readonly replacements: ReadonlyArray<
    Replacement & {
      /** The longest time in which a group acknowledged nothing, from the one before to the next, ms. */
      readonly gapMs: number;
    }
  >;
}

type Disturbance = Pick<StormReport, 'faults' | 'replacements'>;

export function storm(options: StormOptions): Promise<StormReport> {
  const random = makePrng(options.seed);
  const flags = options.replaces ? { limits: REPLACEMENT_LIMITS } : {};
  return withCluster({ flags }, async (cluster) => {
    const { result, report } = await underTokenLoad(cluster, { ...options, random }, (load) =>
      options.replaces
        ? replace(cluster, load, options)
        : disturb(cluster, load, options, random.fork('faults')),
    );
    return { ...report, ...result };
  });
}

const NO_FAULTS: FaultCounts = { kill: 0, pause: 0, term: 0 };

/** Replaces nodes for as long as the storm lasts, and until none of the first is left. */
async function replace(
  cluster: ProcessCluster,
  load: TokenLoad,
  { seconds, faultEveryMs = 3000, progress }: StormOptions,
): Promise<Disturbance> {
  // A cluster that has just begun moves its leaders to where they belong, which is no part of any step.
  await leadersSettled(cluster);
  const replacements: Array<StormReport['replacements'][number]> = [];
  const first = cluster.nodes.length;
  const endMs = performance.now() + seconds * 1000;
  while (replacements.length < first || performance.now() < endMs) {
    load.beginStep();
    const replacement = await replaceOldest(cluster, load);
    await sleep(faultEveryMs);
    const gapMs = Math.round(load.stepGapMs);
    replacements.push({ gapMs, ...replacement });
    progress?.(`${describe(replacements.at(-1)!)}; ${load.acknowledged} acknowledged`);
  }
  return { faults: NO_FAULTS, replacements };
}

/** A replacement in words. */
export function describe(replacement: StormReport['replacements'][number]): string {
  const { old, node, tookMs, gapMs, inChunks, snapshots, chunks } = replacement;
  return (
    `node ${old} replaced by ${node} in ${tookMs} ms, with ${snapshots} snapshots in ${chunks} chunks (of ${inChunks} groups ` +
    `in several), at most ${gapMs} ms without an acknowledgement of a group`
  );
}

/** Lets nodes meet faults for as long as the storm lasts. */
async function disturb(
  { nodes }: ProcessCluster,
  load: TokenLoad,
  { seconds, faults = ['kill'], faultEveryMs = 3000, pauseMsMax = 5000, progress }: StormOptions,
  random: Prng,
): Promise<Disturbance> {
  const forMs = seconds * 1000;
  const faultCounts = { ...NO_FAULTS } as Record<Fault, number>;
  const startMs = performance.now();
  const passedMs = (): number => performance.now() - startMs;
  // A fault that takes longer than the time between two delays the next; the end stays where it is.
  for (let atMs = faultEveryMs; atMs < forMs; atMs = Math.max(atMs + faultEveryMs, passedMs())) {
    await sleep(Math.max(0, atMs - passedMs()));
    const node = nodes[random.below(nodes.length)]!;
    const fault = faults[random.below(faults.length)]!;
    await inflict(fault, node, { random, pauseMsMax });
    faultCounts[fault]++;
    progress?.(`${fault} of node ${node.id}; ${load.acknowledged} acknowledged`);
  }
  await sleep(Math.max(0, forMs - passedMs()));
  return { faults: faultCounts, replacements: [] };
}
