// Who leads which group, from what the nodes say. Each tells what it knows when a stream to it opens, and each
// change; they may disagree for a while. A node that says it leads itself is believed before others, since it
// learns of its election first and of its loss at once; among equals the latest word counts.

import type { Endpoint } from './endpoint.js';

/** What `leaderOf` looks at. */
export type Claimant = Pick<Endpoint, 'node' | 'claims'>;

/** The node that leads `group` by what the endpoints say; 0: nobody knows. */
export function leaderOf(group: number, endpoints: Iterable<Claimant>): number {
  let leader = 0;
  let bestIsOwn = false;
  let bestOrder = -1;
  for (const { node: speaker, claims } of endpoints) {
    const claim = claims.get(group);
    if (claim === undefined || claim.node === 0) continue;
    const isOwn = claim.node === speaker;
    if (bestIsOwn && !isOwn) continue;
    if (isOwn === bestIsOwn && claim.order < bestOrder) continue;
    leader = claim.node;
    bestIsOwn = isOwn;
    bestOrder = claim.order;
  }
  return leader;
}
