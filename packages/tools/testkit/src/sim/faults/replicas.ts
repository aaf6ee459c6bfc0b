// Replicas that end, stand still or have wrong clocks, and the ways between them and what they follow: streams that break, of
// which an end may never learn, that stall, or bring what is not right; histories that do not reach back far enough.

import type { Prng } from '@deltabase/base';
import type { SimulatedReplica } from '../../cluster/simulated-replica.js';
import type { Learning } from '../../upstream/simulated-stream.js';
import { type Fault, type FaultHost, oneOf } from './fault.js';

export const REPLICA_FAULTS: readonly Fault[] = [
  { name: 'replica-crash', kind: 'replica', meanMs: 900, inject: crash },
  { name: 'replica-stop', kind: 'replica', meanMs: 1500, inject: stop },
  { name: 'replica-pause', kind: 'replica', meanMs: 900, inject: pause },
  { name: 'replica-clock', kind: 'replica', meanMs: 1200, inject: changeClockRate },
  { name: 'stream-break', kind: 'replica', meanMs: 400, inject: breakStream },
  { name: 'stream-stall', kind: 'replica', meanMs: 600, inject: stallStream },
  { name: 'way-cut', kind: 'replica', meanMs: 1200, inject: cutWay },
  { name: 'stream-weather', kind: 'replica', meanMs: 1000, inject: changeWeather },
  { name: 'stream-damage', kind: 'replica', meanMs: 500, inject: damageStream },
  { name: 'history-gone', kind: 'replica', meanMs: 1500, inject: loseHistory },
];

function crash(run: FaultHost, chance: Prng): void {
  const replica = anyUp(run, chance);
  if (replica === undefined) return;
  run.count('a replica crashed');
  replica.crash();
  startLater(run, replica, chance);
}

/** A replica ends as it should: whoever watches there is told. */
function stop(run: FaultHost, chance: Prng): void {
  const replica = anyUp(run, chance);
  if (replica === undefined) return;
  run.count('a replica was stopped');
  replica.stop();
  startLater(run, replica, chance);
}

function startLater(run: FaultHost, replica: SimulatedReplica, chance: Prng): void {
  run.later(400, chance, () => {
    if (!replica.isUp) replica.start();
  });
}

function pause(run: FaultHost, chance: Prng): void {
  const replica = anyUp(run, chance);
  if (replica === undefined) return;
  run.count('a replica stood still');
  replica.pause();
  const meanMs = [3, 30, 300, 3000][chance.below(4)]!;
  run.later(meanMs, chance, () => replica.resume());
}

function changeClockRate(run: FaultHost, chance: Prng): void {
  const replica = oneOf(chance, run.cluster.replicas);
  if (replica === undefined) return;
  run.count('the clock of a replica was fast or slow');
  replica.clock.rate = 2 ** (chance.fraction() * 2 - 1);
}

function breakStream(run: FaultHost, chance: Prng): void {
  const stream = oneOf(chance, run.cluster.upstreams.streams);
  if (stream === undefined) return;
  const learning = { follower: drawLearning(chance), server: drawLearning(chance) };
  run.count(`a stream of a replica broke, which it learned ${learning.follower}`);
  stream.break(learning);
}

function stallStream(run: FaultHost, chance: Prng): void {
  const stream = oneOf(chance, run.cluster.upstreams.streams);
  if (stream === undefined) return;
  run.count('a stream of a replica stalled');
  stream.stall((['up', 'down', 'both'] as const)[chance.below(3)]!);
  run.later([50, 500, 3000][chance.below(3)]!, chance, () => stream.resume());
}

/** Nothing comes through between a replica and something that it may follow, new streams included. */
function cutWay(run: FaultHost, chance: Prng): void {
  const { replicas, upstreams } = run.cluster;
  const replica = oneOf(chance, replicas);
  const address = replica && oneOf(chance, replica.upstreams);
  if (replica === undefined || address === undefined) return;
  run.count('a replica was cut off from an upstream');
  upstreams.cut(replica.name, address);
  run.later([100, 1000, 4000][chance.below(3)]!, chance, () => {
    upstreams.mend(replica.name, address);
  });
}

function changeWeather(run: FaultHost, chance: Prng): void {
  if (run.cluster.replicas.length === 0) return;
  run.count('streams of replicas became slower or faster');
  Object.assign(run.cluster.streamWeather, {
    delayMsMax: [1, 5, 40, 200][chance.below(4)]!,
    lateRate: chance.below(2) === 0 ? 0 : chance.fraction() * 0.1,
  });
}

/** The next delta on a stream is lost, comes twice or is another one: a defect at its other end, or a flipped bit. */
function damageStream(run: FaultHost, chance: Prng): void {
  const connection = oneOf(chance, run.cluster.upstreams.connections);
  if (connection === undefined) return;
  const damage = (['lost', 'doubled', 'changed'] as const)[chance.below(3)]!;
  connection.damageNext(damage, () => run.count(`a delta to a replica was ${damage}`));
}

/** For a while nothing can be had at some place but the present states. */
function loseHistory(run: FaultHost, chance: Prng): void {
  const { replicas, upstreams } = run.cluster;
  const address = oneOf(
    chance,
    replicas.flatMap((replica) => replica.upstreams),
  );
  if (address === undefined) return;
  run.count('the history of an upstream was gone');
  upstreams.setHistory(address, 'gone');
  run.later(500, chance, () => upstreams.setHistory(address, 'kept'));
}

function anyUp({ cluster }: FaultHost, chance: Prng): SimulatedReplica | undefined {
  return oneOf(
    chance,
    cluster.replicas.filter(({ isUp }) => isUp),
  );
}

function drawLearning(chance: Prng): Learning {
  return (['at once', 'late', 'never'] as const)[chance.below(3)]!;
}
