// A million watchers of one document, by calculation: how many replicas that takes, what it costs, and how late deltas are.

import { makePrng } from '@deltabase/base';
import { type BenchContext, type Benchmark, checksumOf, type Measured, round } from '../harness.js';
import { type Hop, type Lateness, simulate } from './delivery.js';
import { type Demand, type Process, type Tree, treeFor } from './tree.js';

/**
 * By `npm run bench -- fanout` on the machine of bench/results: 1,000 watchers with a call each cost 9 to 15 us of the nodes' CPU a
 * delivery, sharing calls 5 to 10. Taking a delta is what a follower does for one. A part of a CPU is kept free.
 */
const MEASURED: Process = {
  deliverSeconds: 15e-6,
  feedSeconds: 10e-6,
  takeSeconds: 30e-6,
  cpuPart: 0.5,
  bytesPerSecond: 125e6 / 2,
};
/** A hop in one data centre: half a round trip of 0.5 ms, and what a busy process of ours adds (p99 of one node with few watchers). */
const HOP: Hop = { medianMs: 0.8, p99Ms: 8 };
const DELTA_BYTES = 300;
const WATCHERS = [1000, 10_000, 100_000, 1_000_000];
const RATES = [10, 100];

export const scale: Benchmark = {
  name: 'scale',
  question: 'What would a million watchers of one document take?',
  workload:
    `A model, not a measurement (docs/scale.md): trees of replicas as large as watchers and rate ask for, each process at half of one CPU and half of a gigabit a second, deltas of ${DELTA_BYTES} bytes; ` +
    'messages come at random. Costs are those measured by fanout.',
  doesNotShow: 'Watchers that come, go or are slow; networks between data centres.',
  run(context: BenchContext): Promise<Measured> {
    const size = context.smoke ? { deltas: 50, paths: 5 } : { deltas: 500, paths: 200 };
    const rows: (string | number)[][] = [];
    for (const rate of RATES) {
      for (const watchers of WATCHERS) {
        const demand: Demand = { watchers, rate, deltaBytes: DELTA_BYTES };
        const tree = treeFor(MEASURED, demand);
        const random = makePrng(context.seed).fork(`${rate} ${watchers}`);
        const late = simulate(tree, { process: MEASURED, demand, hop: HOP, ...size }, random);
        rows.push(rowOf(demand, tree, late));
        context.progress(rows.at(-1)!.join(' | '));
      }
    }
    return Promise.resolve({
      columns: [
        'deltas/s',
        'watchers',
        'processes by level',
        'CPUs in all',
        'µs of CPU a delivery',
        'p50 ms by level',
        'p99 ms by level',
      ],
      rows,
      notes: [
        'Levels from the leader down; lateness from the commit until a delta is at what is below the level.',
      ],
      checksum: checksumOf(JSON.stringify(rows)),
    });
  },
};

function rowOf(
  { rate, watchers }: Demand,
  { levels, cpuPerDelivery }: Tree,
  late: readonly Lateness[],
): (string | number)[] {
  const cpus = levels.reduce((sum, { processes, cpu }) => sum + processes * cpu, 0);
  return [
    rate,
    watchers.toLocaleString('en-US'),
    levels.map(({ processes }) => processes.toLocaleString('en-US')).join(' → '),
    round(cpus),
    round(cpuPerDelivery * 1e6),
    late.map(({ p50Ms }) => round(p50Ms)).join(' → '),
    late.map(({ p99Ms }) => round(p99Ms)).join(' → '),
  ];
}
