// Clocks that are wrong, machines that are replaced, clients that end.

import type { Prng } from '@deltabase/base';
import { anyNode, anyUp, type Fault, type FaultHost } from './fault.js';

export const OTHER_FAULTS: readonly Fault[] = [
  { name: 'jump-wall-clock', kind: 'clock', meanMs: 1000, inject: jumpWallClock },
  { name: 'clock-rate', kind: 'clock', meanMs: 1500, inject: changeClockRate },
  { name: 'replace-machine', kind: 'machine', meanMs: 1500, inject: replaceMachine },
  { name: 'client-ends', kind: 'client', meanMs: 1500, inject: clientEnds },
];

function jumpWallClock(run: FaultHost, chance: Prng): void {
  const id = anyNode(run, chance);
  if (id === undefined) return;
  run.count('a wall clock was wrong');
  const mostMs = [200, 10_000][chance.below(2)]!;
  run.cluster.setWallOffset(id, Math.floor((chance.fraction() * 2 - 1) * mostMs));
}

function changeClockRate(run: FaultHost, chance: Prng): void {
  const id = anyNode(run, chance);
  if (id === undefined) return;
  run.count('a clock was fast or slow');
  run.cluster.setClockRate(id, 2 ** (chance.fraction() * 2 - 1));
}

function replaceMachine(run: FaultHost, chance: Prng): void {
  const node = anyUp(run, chance);
  if (node === undefined) return;
  const { tokens, cluster } = run;
  run.count('a machine was to be replaced');
  const request = {
    space: tokens.space,
    module: tokens.modules[chance.below(tokens.modules.length)]!,
    expectedVersion: undefined,
    principal: 'run',
    expiresMs: cluster.monotonicMs(node) + 5000,
  };
  cluster.engine(node).deploy(request, (result) => {
    if (result.kind === 'deployed') run.count('a machine was replaced');
  });
}

function clientEnds(run: FaultHost, chance: Prng): void {
  run.count('a client ended in the middle of what it did');
  run.replaceClient(chance);
}
