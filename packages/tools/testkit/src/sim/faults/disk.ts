// Disks that fail, hang and fill up, and data directories that lose what was in them. What a node has lost for good
// it must not vote on again: of such nodes there is only ever a minority.

import type { Prng } from '@deltabase/base';
import type { NodeId } from '@deltabase/engine';
import type { SimulatedLevel } from '../../disk/simulated-level.js';
import { anyUp, type Fault, type FaultHost, oneOf } from './fault.js';

export const DISK_FAULTS: readonly Fault[] = [
  {
    name: 'fail-append',
    kind: 'disk',
    meanMs: 1500,
    inject: (...on) => failWrite('append', ...on),
  },
  { name: 'fail-sync', kind: 'disk', meanMs: 1500, inject: (...on) => failWrite('sync', ...on) },
  { name: 'hang', kind: 'disk', meanMs: 1500, inject: (...on) => hang('hung', ...on) },
  {
    name: 'hang-reads',
    kind: 'disk',
    meanMs: 1500,
    inject: (...on) => hang('reads-hang', ...on),
  },
  { name: 'hang-for-ever', kind: 'disk', meanMs: 6000, inject: hangForEver },
  { name: 'slow-writes', kind: 'disk', meanMs: 1000, inject: slowWrites },
  { name: 'little-room', kind: 'disk', meanMs: 2000, inject: littleRoom },
  { name: 'lose-run', kind: 'damage', meanMs: 5000, inject: loseRun },
  { name: 'lose-tail', kind: 'damage', meanMs: 5000, inject: loseTail },
  { name: 'flip-bit', kind: 'damage', meanMs: 2000, inject: flipBit },
  { name: 'wipe', kind: 'damage', meanMs: 6000, inject: wipe },
];

function failWrite(fault: 'append' | 'sync', run: FaultHost, chance: Prng): void {
  const id = anyUp(run, chance);
  if (id === undefined) return;
  run.count(fault === 'append' ? 'a write failed' : 'a sync failed');
  run.expectFailure(id);
  run.cluster.failDisk(id, fault);
}

function hang(state: 'hung' | 'reads-hang', run: FaultHost, chance: Prng): void {
  const id = anyUp(run, chance);
  if (id === undefined) return;
  run.count(state === 'hung' ? 'a disk hung' : 'a disk hung on reads');
  run.cluster.setDisk(id, state);
  const meanMs = [50, 500, 3000][chance.below(3)]!;
  run.later(meanMs, chance, () => run.cluster.setDisk(id, 'whole'));
}

function hangForEver(run: FaultHost, chance: Prng): void {
  const id = anyUp(run, chance);
  if (id === undefined) return;
  run.count('a disk hung until the end');
  run.cluster.setDisk(id, 'hung');
}

function slowWrites(run: FaultHost, chance: Prng): void {
  run.count('disks became slower or faster');
  run.cluster.weather.writeMsMax = [0.1, 3, 30, 150][chance.below(4)]!;
}

/** So little room that a node must take nothing more, at one node or, now and then, at all of them. */
function littleRoom(run: FaultHost, chance: Prng): void {
  const all = run.cluster.ids;
  const nodes = chance.below(4) === 0 ? all : [all[chance.below(all.length)]!];
  run.count('disks had little room');
  const bytes = chance.below(2) === 0 ? 1 : 2 ** 28;
  for (const id of nodes) run.cluster.setFreeBytes(id, bytes);
  run.later(800, chance, () => {
    for (const id of nodes) run.cluster.setFreeBytes(id, 2 ** 40);
  });
}

/** Batches in the middle of a log are gone when the node starts again: it must not. */
function loseRun(run: FaultHost, chance: Prng): void {
  damage(run, chance, (files) => files.loseRun(chance), 'a disk lost batches in the middle');
}

/** The last batches that were acknowledged are gone when the node starts again: it must not. */
function loseTail(run: FaultHost, chance: Prng): void {
  damage(run, chance, (files) => files.loseTail(chance), 'a disk lost its newest batches');
}

function damage(
  run: FaultHost,
  chance: Prng,
  lose: (files: SimulatedLevel) => boolean,
  what: string,
): void {
  const id = anyDamageable(run, chance);
  if (id === undefined) return;
  run.crash(id, 'lost');
  if (lose(run.cluster.storage(id).files)) {
    run.count(what);
    run.damaged(id, 'refused');
  }
  run.startLater(id, 200, chance);
}

/** A bit of what is in tables turns over, while the node runs: it must never give out what is there now. */
function flipBit(run: FaultHost, chance: Prng): void {
  const id = anyDamageable(run, chance);
  if (id === undefined || !run.cluster.storage(id).files.flipBit(chance)) return;
  run.count('a bit turned over');
  run.damaged(id, 'found');
  if (chance.below(2) === 0) return;
  // A node that starts reads most of its rows.
  run.later(300, chance, () => {
    if (!run.cluster.isUp(id)) return;
    run.crash(id, 'lost');
    run.startLater(id, 100, chance);
  });
}

/** A node comes back with nothing, under the name it had: nobody must listen to it. */
function wipe(run: FaultHost, chance: Prng): void {
  const id = anyDamageable(run, chance);
  if (id === undefined) return;
  run.count('a disk was wiped');
  run.crash(id, 'lost');
  run.cluster.wipe(id);
  run.damaged(id, 'alone');
  run.startLater(id, 200, chance);
}

function anyDamageable(run: FaultHost, chance: Prng): NodeId | undefined {
  const { cluster } = run;
  return oneOf(
    chance,
    cluster.ids.filter((id) => cluster.isUp(id) && run.mayDamage(id)),
  );
}
