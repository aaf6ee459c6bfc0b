import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  commandOf,
  drawPlan,
  FAULTS,
  type PlanChanges,
  Report,
  runSeed,
  runSeeds,
  shrink,
} from '../../src/index.js';

const SEEDS = 200;
/** They must stay cheap enough to be run with every change. */
const MOST_MS = 180_000;
/** What a set of runs must have seen, or it proves little. */
const SEEN = [
  'a bit turned over',
  'a change had to wait',
  'a change was begun: add',
  'a change was begun: remove',
  'a change was begun: replace',
  'a change was refused',
  'a circle of replicas was found out',
  'a client ended in the middle of what it did',
  'a clock was fast or slow',
  'a connection broke',
  'a damaged node was refused',
  'a delta to a replica was changed',
  'a delta to a replica was doubled',
  'a delta to a replica was lost',
  'a disk hung on reads',
  'a damaged row was found',
  'a data directory was put back to an earlier state',
  'a database was put back to an earlier state',
  'a disk hung until the end',
  'a disk hung',
  'a disk lost batches in the middle',
  'a disk lost its newest batches',
  'a disk stalled for so long that its node led no more',
  'a disk was wiped',
  'a frame could not be read',
  'a group was handed over by order',
  'a joint configuration was left',
  'a leader that leaves handed over',
  'a leader was elected anew',
  'a leader was to go',
  'a learner was added to a group',
  'a link was clogged',
  'a live copy began anew',
  'a live copy was let go of',
  'a link was cut one way',
  'a log was compacted',
  'a machine was replaced',
  'a message was answered DEADLINE_EXCEEDED',
  'a message was answered OUT_OF_ORDER',
  'a message was answered OVERLOADED',
  'a message was answered UNAVAILABLE',
  'a message was passed on',
  'a message was sent again',
  'a message was trapped',
  'a node crashed again and again',
  'a node crashed and what it was writing was kept',
  'a node crashed and what it was writing was lost',
  'a node had little room on its disk',
  'a node joined',
  'a node refused a peer',
  'a node stood still',
  'a node was cut off',
  'a node was drained',
  'a node with an old image caught up',
  'a node without its data was expelled',
  'a queue was full: forwardsMax',
  'a queue was full: groupQueueMax',
  'a queue was full: inflightAppendsMax',
  'a queue was full: readQueueMax',
  'a queue was full: snapshotTransfersMax',
  'a removed node was expelled',
  'a replica answered a read: atLeast',
  'a replica answered a read: linearizable',
  'a replica answered a read: stale',
  'a replica answered a read: stale within a time',
  'a replica crashed',
  'a replica found what came unfit',
  'a replica had no upstream',
  'a replica kept a copy by order',
  'a replica stood still',
  'a replica was cut off from an upstream',
  'a replica was fed by another one',
  'a replica was stopped',
  'a snapshot was installed',
  'a stream of a replica broke, which it learned at once',
  'a stream of a replica broke, which it learned late',
  'a stream of a replica broke, which it learned never',
  'a stream of a replica stalled',
  'a sync failed',
  'a wall clock was wrong',
  'a watch got several deltas in one',
  'a watch got the state in place of what it missed',
  'a watch began at a replica',
  'a watch went on at a node behind what a replica had given',
  'a watch went on at a replica behind what a node had given',
  'a watch went on at a replica behind what a replica had given',
  'a watch went on behind a seq',
  'a write failed',
  'an answered message was sent again',
  'an expelled node came back with nothing',
  'an expelled node did not start',
  'groups had to go on while a node came and went',
  'groups had to go on while a node had a disk that hung',
  'groups had to go on while a node had a disk that hung on reads',
  'groups had to go on while a node stood still',
  'groups had to go on while a node was cut off',
  'groups had to go on while a node was deaf',
  'groups had to go on while a node was down',
  'groups had to go on while a node was mute',
  'one node was the bridge between two parts',
  'the cluster was split',
  'the leader crashed in a change: a learner was added',
  'the leader crashed in a change: a new node was met',
  'the leader crashed in a change: a voter was removed',
  'the power failed everywhere',
  'ticks were left out',
  'voters were exchanged by a joint configuration',
];

test(`${SEEDS} seeds keep every promise under any faults, and see what they are there to see`, {
  timeout: MOST_MS,
}, async (t) => {
  const seeds = Array.from({ length: SEEDS }, (_, at) => at + 1);
  const report = new Report();
  await runSeeds({ seeds, jobs: 2, ended: (outcome) => report.add(outcome) });
  for (const { seed, failure } of report.failed) console.error(`seed ${seed}: ${failure!.stack}`);
  assert.deepEqual(
    report.failed.map(({ seed }) => seed),
    [],
    'npm run sim -- --seed N --trace tells more',
  );
  t.diagnostic(report.lines().at(-2)!);
  const unseen = SEEN.filter((what) => report.coverage.of(what) === 0);
  assert.deepEqual(unseen, []);
});

test('a node that lagged gets snapshots while others are exchanged, and all promises are kept', async () => {
  // Under all faults hardly one run in a hundred comes to this, so it has runs of its own, with this fault alone.
  const fault = 'replace-while-lagging';
  const without = FAULTS.map(({ name }) => name).filter((name) => name !== fault);
  const every = Array.from({ length: SEEDS }, (_, at) => at + 1);
  const seeds = every.filter((seed) => fault in drawPlan(seed).faults);
  const report = new Report();
  await runSeeds({ seeds, jobs: 2, changes: { without }, ended: (it) => report.add(it) });
  assert.deepEqual(report.failed, []);
  const begun = 'a snapshot was begun while its group';
  assert.ok(report.coverage.of(`${begun} changed its members`) > 0);
  assert.ok(report.coverage.of(`${begun} was joint, or about to be`) > 0);
});

test('the same seed gives the same run, event for event, in one process or another', async () => {
  const seeds = [3, 14, 15, 92, 65];
  const hashes = new Map<number, string | undefined>();
  await runSeeds({ seeds, jobs: 2, ended: (it) => hashes.set(it.seed, it.result?.hash) });
  for (const seed of seeds) {
    const { result, failure } = runSeed(seed);
    assert.equal(failure, undefined);
    assert.equal(result!.hash, hashes.get(seed), `seed ${seed}`);
  }
  assert.equal(new Set(hashes.values()).size, seeds.length);
});

test('a plan is made smaller for as long as it fails', () => {
  const seed = 2;
  const whole = drawPlan(seed);
  const needed = Object.keys(whole.faults)[0]!;
  const runs: PlanChanges[] = [];
  const failureOf = (changes: PlanChanges): string | undefined => {
    runs.push(changes);
    const { faults, faultsUntilMs } = drawPlan(seed, changes);
    return needed in faults && faultsUntilMs >= 1000 ? 'it fails' : undefined;
  };
  const shrunk = shrink({ seed, failureOf })!;
  const { faults, faultsUntilMs } = drawPlan(seed, shrunk.changes);
  assert.ok(Object.keys(whole.faults).length > 1);
  assert.deepEqual(Object.keys(faults), [needed]);
  assert.ok(faultsUntilMs >= 1000 && faultsUntilMs < 1050, String(faultsUntilMs));
  assert.equal(shrunk.runs, runs.length);
  assert.match(commandOf(seed, shrunk.changes), /--seed 2 --until 10\d\d --without \w/);
});

test('a seed that passes is not made smaller', () => {
  assert.equal(shrink({ seed: 1 }), undefined);
});
