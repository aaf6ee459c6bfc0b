// Who leads and who follows, by the nodes' own word.

import type { Prng } from '@deltabase/base';
import type { ProcessCluster, ProcessNode } from '@deltabase/testkit';
import { type NodeGroup, NodeView } from '../node-view.js';
import { until } from '../scratch.js';
import { oneOf } from './telling.js';

/** A node that leads a group, drawn among those that do. */
export async function anyLeader({ nodes }: ProcessCluster, random: Prng): Promise<ProcessNode> {
  let leading: ProcessNode[] = [];
  await until('a leader', async () => {
    const does = await Promise.all(nodes.map(leads));
    leading = nodes.filter((_, at) => does[at]);
    return leading.length > 0;
  });
  return oneOf(leading, random);
}

/** Whether a node thinks that it leads any group. */
export async function leads(node: ProcessNode): Promise<boolean> {
  return (await groupsOf(node)).some(({ role }) => role === 'leader');
}

/** Waits until a node knows that it leads nothing any more. */
export async function leadsNoMore(node: ProcessNode): Promise<void> {
  await until(`node ${node.id} leads no more`, async () => !(await leads(node)));
}

/** Waits until every node has applied, of every group, what any of them knew to be committed when this was called. */
export async function caughtUp({ nodes }: ProcessCluster): Promise<void> {
  const known = await Promise.all(nodes.map(groupsOf));
  const commits = known[0]!.map((_, at) => Math.max(...known.map((of) => of[at]!.commitIndex)));
  for (const node of nodes) {
    await until(`node ${node.id} has caught up`, async () => {
      const groups = await groupsOf(node);
      return groups.every(({ appliedIndex }, at) => appliedIndex >= commits[at]!);
    });
  }
}

async function groupsOf({ clientAddress }: ProcessNode): Promise<readonly NodeGroup[]> {
  const view = new NodeView(clientAddress);
  try {
    return (await view.status()).groups;
  } finally {
    view.close();
  }
}
