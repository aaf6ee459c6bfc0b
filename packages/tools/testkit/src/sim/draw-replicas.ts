// Which replicas a run has: most are fed by nodes, some by each other, as trees and by chance in circles, of which some
// lead nowhere.

import type { Limits, Prng } from '@deltabase/base';
import { simulatedMember } from '../cluster/simulated-node.js';
import { type ReplicaOptions, simulatedReplicaAddress } from '../cluster/simulated-replica.js';

/** Beside the limits of all processes of the run. */
const CHOICES = {
  residentBytesMax: [1, 2500, 6000],
  idleEvictMs: [50, 500],
  recentBytesMax: [1, 1000],
  watchQueueBytesMax: [1, 3000],
} as const satisfies Partial<Record<keyof Limits, readonly number[]>>;

/** None in half of all runs, or up to three. */
export function drawReplicas(
  chance: Prng,
  { nodes, limits }: { readonly nodes: number; readonly limits: Partial<Limits> },
): ReplicaOptions[] {
  if (chance.below(2) === 0) return [];
  const names = Array.from({ length: 1 + chance.below(3) }, (_, at) => `r${at + 1}`);
  const ofNodes = Array.from({ length: nodes }, (_, at) => simulatedMember(at + 1).clientAddress);
  const ofReplicas = names.map(simulatedReplicaAddress);
  const isTree = chance.below(4) > 0;
  return names.map((name, at) => {
    // In a tree each is fed by those before it.
    const others = isTree ? ofReplicas.slice(0, at) : ofReplicas;
    const own: Record<string, number> = {};
    for (const [limit, choices] of Object.entries(CHOICES)) {
      const choice = chance.below(choices.length * 3);
      if (choice < choices.length) own[limit] = choices[choice]!;
    }
    return {
      name,
      upstreams: drawUpstreams(chance, ofNodes, others),
      offersItself: chance.below(2) === 0,
      limits: { ...limits, ...own },
    };
  });
}

/** One to three of them, by chance only replicas. */
function drawUpstreams(
  chance: Prng,
  nodes: readonly string[],
  replicas: readonly string[],
): string[] {
  const all = replicas.length > 0 && chance.below(4) === 0 ? replicas : [...nodes, ...replicas];
  const drawn = new Set<string>();
  for (let left = 1 + chance.below(3); left > 0; left--) drawn.add(all[chance.below(all.length)]!);
  // Where there is a tree it is used: a replica that can be fed by another one comes first.
  if (replicas.length > 0 && chance.below(2) === 0) {
    drawn.add(replicas[chance.below(replicas.length)]!);
  }
  return [...drawn];
}
