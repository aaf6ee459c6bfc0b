// Links that fail: one way, both ways, in groups; that keep frames back, break, and lose, double, delay and damage
// what is sent.

import type { Prng } from '@deltabase/base';
import type { NodeId } from '@deltabase/engine';
import type { LinkState } from '../../network/link.js';
import { anyNode, type Fault, type FaultHost, oneOf } from './fault.js';

export const NETWORK_FAULTS: readonly Fault[] = [
  { name: 'cut-one-way', kind: 'network', meanMs: 600, inject: cutOneWay },
  { name: 'isolate', kind: 'network', meanMs: 1000, inject: isolate },
  { name: 'split', kind: 'network', meanMs: 1500, inject: split },
  { name: 'bridge', kind: 'network', meanMs: 2000, inject: bridge },
  { name: 'clog', kind: 'network', meanMs: 800, inject: clog },
  { name: 'swizzle', kind: 'network', meanMs: 2500, inject: swizzle },
  { name: 'reset', kind: 'network', meanMs: 400, inject: reset },
  { name: 'weather', kind: 'network', meanMs: 800, inject: changeWeather },
];

type Pair = readonly [from: NodeId, to: NodeId];

function cutOneWay(run: FaultHost, chance: Prng): void {
  const pair = anyPair(run, chance);
  if (pair === undefined) return;
  run.count('a link was cut one way');
  setLinks(run, [pair], 'cut');
  run.later(400, chance, () => setLinks(run, [pair], 'whole'));
}

function isolate(run: FaultHost, chance: Prng): void {
  const { cluster } = run;
  const id = anyNode(run, chance);
  if (id === undefined) return;
  run.count('a node was cut off');
  cluster.setLinks(id, 'cut');
  run.later(600, chance, () => cluster.setLinks(id, 'whole'));
}

/** Two parts that do not hear each other. */
function split(run: FaultHost, chance: Prng): void {
  const side = new Map(run.cluster.ids.map((id) => [id, chance.below(2)]));
  const between = pairs(run).filter(([from, to]) => side.get(from) !== side.get(to));
  if (between.length === 0) return;
  run.count('the cluster was split');
  setLinks(run, between, 'cut');
  run.later(600, chance, () => setLinks(run, between, 'whole'));
}

/** Two parts that do not hear each other, and one node that hears both. */
function bridge(run: FaultHost, chance: Prng): void {
  const { ids } = run.cluster;
  const middle = anyNode(run, chance);
  const side = new Map(ids.filter((id) => id !== middle).map((id, at) => [id, at % 2]));
  const between = pairs(run).filter(
    ([from, to]) => from !== middle && to !== middle && side.get(from) !== side.get(to),
  );
  run.count('one node was the bridge between two parts');
  setLinks(run, between, 'cut');
  run.later(800, chance, () => setLinks(run, between, 'whole'));
}

/** What is sent waits, and comes all at once. */
function clog(run: FaultHost, chance: Prng): void {
  const pair = anyPair(run, chance);
  if (pair === undefined) return;
  run.count('a link was clogged');
  setLinks(run, [pair], 'clogged');
  run.later(400, chance, () => setLinks(run, [pair], 'whole'));
}

/** All links of some nodes are clogged one after the other, and freed in another order. */
function swizzle(run: FaultHost, chance: Prng): void {
  const { cluster } = run;
  const nodes = cluster.ids.filter(() => chance.below(2) === 0);
  if (nodes.length === 0) return;
  run.count('links were clogged and freed in turn');
  for (const id of nodes) {
    run.later(200, chance, () => {
      cluster.setLinks(id, 'clogged');
      run.later(500, chance, () => cluster.setLinks(id, 'whole'));
    });
  }
}

function reset(run: FaultHost, chance: Prng): void {
  const pair = anyPair(run, chance);
  if (pair === undefined) return;
  run.count('a connection broke');
  run.cluster.resetLink(...pair);
}

function changeWeather(run: FaultHost, chance: Prng): void {
  run.count('the weather changed');
  Object.assign(run.cluster.weather, {
    dropRate: rarely(chance, 0.3),
    duplicateRate: rarely(chance, 0.3),
    truncateRate: rarely(chance, 0.1),
    lateRate: rarely(chance, 0.1),
    delayMsMax: [1, 5, 40, 200][chance.below(4)]!,
  });
}

/** 0 in half of all cases, or up to `most`. */
function rarely(chance: Prng, most: number): number {
  return chance.below(2) === 0 ? 0 : chance.fraction() * most;
}

function pairs({ cluster: { ids } }: FaultHost): Pair[] {
  return ids.flatMap((from) => ids.filter((to) => to !== from).map((to): Pair => [from, to]));
}

function anyPair(run: FaultHost, chance: Prng): Pair | undefined {
  return oneOf(chance, pairs(run));
}

function setLinks({ cluster }: FaultHost, links: readonly Pair[], state: LinkState): void {
  for (const [from, to] of links) cluster.setLink(from, to, state);
}
