import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import { simulate } from '../src/scale/delivery.js';
import { type Demand, type Process, receiversMax, treeFor } from '../src/scale/tree.js';

/** Bears 100 watchers, or 10 replicas, of one delta a second by its CPU. */
const PROCESS: Process = {
  deliverSeconds: 0.005,
  feedSeconds: 0.05,
  takeSeconds: 0,
  cpuPart: 0.5,
  bytesPerSecond: 1e9,
};

function demand(watchers: number, changes: Partial<Demand> = {}): Demand {
  return { watchers, rate: 1, deltaBytes: 100, ...changes };
}

test('what a process bears is bounded by its CPU, less what it takes, or by its network', () => {
  assert.equal(receiversMax(PROCESS, demand(1), 0.005), 100);
  assert.equal(receiversMax(PROCESS, demand(1, { rate: 2 }), 0.005), 50);
  assert.equal(receiversMax({ ...PROCESS, takeSeconds: 0.1 }, demand(1), 0.005), 80);
  assert.equal(receiversMax({ ...PROCESS, bytesPerSecond: 1000 }, demand(1), 0.005), 10);
  assert.equal(receiversMax({ ...PROCESS, takeSeconds: 1 }, demand(1), 0.005), 0);
});

test('a tree grows by a level when the one above bears no more', () => {
  const shape = (watchers: number) =>
    treeFor(PROCESS, demand(watchers)).levels.map(({ kind, processes, receivers }) => [
      kind,
      processes,
      receivers,
    ]);
  assert.deepEqual(shape(100), [['leader', 1, 100]]);
  assert.deepEqual(shape(101), [
    ['leader', 1, 2],
    ['leaves', 2, 51],
  ]);
  assert.deepEqual(shape(1000), [
    ['leader', 1, 10],
    ['leaves', 10, 100],
  ]);
  assert.deepEqual(shape(1001), [
    ['leader', 1, 2],
    ['feeders', 2, 6],
    ['leaves', 11, 91],
  ]);
  assert.deepEqual(shape(100_000), [
    ['leader', 1, 10],
    ['feeders', 10, 10],
    ['feeders', 100, 10],
    ['leaves', 1000, 100],
  ]);
});

test('a delivery costs what all levels spend on it', () => {
  // 10 feeds of 50 ms and 1,000 deliveries of 5 ms.
  const { cpuPerDelivery, levels } = treeFor(PROCESS, demand(1000));
  assert.ok(Math.abs(cpuPerDelivery - (0.5 + 5) / 1000) < 1e-12);
  assert.deepEqual(
    levels.map(({ cpu }) => cpu),
    [0.5, 0.5],
  );
});

test('a rate that nobody bears is refused', () => {
  assert.throws(() => treeFor(PROCESS, demand(5, { rate: 1000 })), RangeError);
});

const STILL = { medianMs: 2, p99Ms: 2 };

test('without waiting a delta is as late as its place at each level, and the hops', () => {
  // One receiver at each level: 50 ms to feed, 5 to deliver, 2 a hop.
  const tree = {
    levels: [
      { kind: 'leader', processes: 1, receivers: 1, cpu: 0 },
      { kind: 'leaves', processes: 1, receivers: 1, cpu: 0 },
    ],
    cpuPerDelivery: 0,
  } as const;
  const options = { process: PROCESS, demand: demand(1, { rate: 1e-6 }), hop: STILL };
  const late = simulate(tree, { ...options, deltas: 20, paths: 3 }, makePrng(1));
  const rounded = late.map(({ p50Ms, p99Ms }) => [Math.round(p50Ms), Math.round(p99Ms)]);
  assert.deepEqual(rounded, [
    [52, 52],
    [59, 59],
  ]);
});

test('the busier a process is the longer deltas wait for those before them', () => {
  const lateAt = (rate: number): number => {
    const tree = {
      levels: [{ kind: 'leaves', processes: 1, receivers: 100, cpu: 0 }],
      cpuPerDelivery: 0,
    } as const;
    const options = { process: PROCESS, demand: demand(100, { rate }), hop: STILL };
    // 100 watchers take half a second: a queue of one server, half busy at one delta a second.
    const [late] = simulate(tree, { ...options, deltas: 400, paths: 50 }, makePrng(2));
    return late!.p50Ms;
  };
  const [calm, half, busy] = [lateAt(0.01), lateAt(1), lateAt(1.8)];
  assert.ok(Math.abs(calm - 252) < 40, `half of all places, ${calm}`);
  assert.ok(half > calm * 1.3 && busy > half * 2, `${calm} ${half} ${busy}`);
});

test('the same seed gives the same figures, another one others', () => {
  const wanted = demand(1000);
  const run = (seed: number) =>
    simulate(
      treeFor(PROCESS, wanted),
      { process: PROCESS, demand: wanted, hop: { medianMs: 1, p99Ms: 9 }, deltas: 50, paths: 5 },
      makePrng(seed),
    );
  assert.deepEqual(run(1), run(1));
  assert.notDeepEqual(run(1), run(2));
});
