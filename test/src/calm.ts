// How calm a cluster is: who leads what in which term, and whether nodes keep their time. Looked at before and
// after something that must not disturb it.

import { readFile } from 'node:fs/promises';
import type { ProcessCluster, ProcessNode } from '@deltabase/testkit';
import { NodeView } from './node-view.js';
import { until } from './scratch.js';

export interface NodeCalm {
  readonly node: number;
  /** Of each group its number, its leader and its term. */
  readonly groups: readonly (readonly [group: number, leader: number, term: number])[];
  /** Ticks that were left out because the process did not come to them. */
  readonly ticksMissed: number;
  /** For how long the process was ready to run and other processes had the cores, ms. */
  readonly waitedForCoreMs: number;
}

/** What every node says now. */
export function calmOf(cluster: ProcessCluster): Promise<NodeCalm[]> {
  return Promise.all(cluster.nodes.map(nodeCalm));
}

async function nodeCalm({ clientAddress, pid }: ProcessNode): Promise<NodeCalm> {
  const { node, groups, counters } = await NodeView.with(clientAddress, (view) => view.status());
  return {
    node,
    groups: groups.map(({ group, leader, term }) => [group, leader, term]),
    ticksMissed: counters['ticksMissed'] ?? Number.NaN,
    waitedForCoreMs: await waitedForCoreMs(pid!),
  };
}

/** Of the main thread, since it began. Systems other than Linux do not tell: 0. */
async function waitedForCoreMs(pid: number): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const [, nanoseconds] = (await readFile(`/proc/${pid}/task/${pid}/schedstat`, 'utf8')).split(' ');
  return Number(nanoseconds) / 1e6;
}

/** Waits until every node sees each group led by the node that the balancer wants: then none moves by itself. */
export async function leadersSettled(cluster: ProcessCluster): Promise<void> {
  await until('each group has its preferred leader', async () => {
    const nodes = await calmOf(cluster);
    return nodes.every(({ groups }) =>
      groups.every(([group, leader]) => leader === 1 + (group % nodes.length)),
    );
  });
}
