// Processes that end, and processes that stand still.

import type { Prng } from '@deltabase/base';
import { anyUp, type Fault, type FaultHost } from './fault.js';

export const PROCESS_FAULTS: readonly Fault[] = [
  { name: 'crash', kind: 'process', meanMs: 700, inject: crash },
  { name: 'crash-loop', kind: 'process', meanMs: 3000, inject: crashLoop },
  { name: 'power-cut', kind: 'process', meanMs: 3500, inject: powerCut },
  { name: 'pause', kind: 'process', meanMs: 700, inject: pause },
  { name: 'drain', kind: 'process', meanMs: 2000, inject: drain },
];

function crash(run: FaultHost, chance: Prng): void {
  const id = anyUp(run, chance);
  if (id === undefined) return;
  const inFlight = drawInFlight(chance);
  run.count(`a node crashed and what it was writing was ${inFlight}`);
  run.crash(id, inFlight);
  run.startLater(id, 400, chance);
}

/** A node that ends again and again, as under a supervisor. */
function crashLoop(run: FaultHost, chance: Prng): void {
  const id = anyUp(run, chance);
  if (id === undefined) return;
  run.count('a node crashed again and again');
  const again = (left: number): void => {
    if (run.cluster.isRunning(id)) run.crash(id, drawInFlight(chance));
    run.startLater(id, 20, chance);
    if (left > 0) run.later(120, chance, () => again(left - 1));
  };
  again(2 + chance.below(4));
}

/** All nodes lose their power at once; files that are not synced are as they were a while ago. */
function powerCut(run: FaultHost, chance: Prng): void {
  run.count('the power failed everywhere');
  for (const id of run.cluster.ids) {
    if (!run.cluster.isRunning(id)) continue;
    run.crash(id, drawInFlight(chance));
    run.cluster.storage(id).files.forgetAcknowledged(chance.below(20));
    run.startLater(id, 300, chance);
  }
}

/** A process stands still: garbage is collected, the machine swaps, somebody stopped it. */
function pause(run: FaultHost, chance: Prng): void {
  const id = anyUp(run, chance);
  if (id === undefined) return;
  run.count('a node stood still');
  run.cluster.pause(id);
  const meanMs = [3, 30, 300, 1000, 15_000][chance.below(5)]!;
  run.later(meanMs, chance, () => run.cluster.resume(id));
}

/** A node is stopped as it should be: it hands over what it leads, answers what it took, and ends. */
function drain(run: FaultHost, chance: Prng): void {
  const id = anyUp(run, chance);
  if (id === undefined) return;
  const { cluster } = run;
  const life = cluster.lifeOf(id);
  run.count('a node began to drain');
  const stop = (): void => {
    if (cluster.lifeOf(id) !== life || !cluster.isUp(id)) return;
    run.count('a node was drained');
    run.stop(id);
    run.startLater(id, 200, chance);
  };
  cluster.engine(id).drain(() => run.later(0, chance, stop));
  run.drains(id);
}

function drawInFlight(chance: Prng): 'kept' | 'lost' {
  return chance.below(2) === 0 ? 'kept' : 'lost';
}
