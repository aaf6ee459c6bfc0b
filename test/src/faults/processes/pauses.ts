// SIGSTOP: a process stands still, for less time than an election takes or until the others have gone on without it,
// then goes on where it was, and believes what it believed. It may lead or follow.

import type { ProcessCluster, ProcessNode } from '@deltabase/testkit';
import { NodeView } from '../../node-view.js';
import { sleep, until, withCluster } from '../../scratch.js';
import { type TokenLoad, underTokenLoad } from '../../token-load.js';
import type { FaultCase, FaultContext } from '../fault-case.js';
import { oneOf, told } from '../telling.js';

/** All documents are in this one. */
const GROUP = 1;
/** Followers wait for a leader for 500 to 1000 ms. */
const SHORT_MS = 250;

export const pauses: FaultCase = {
  name: 'pauses',
  what: 'a leader or a follower stands still (SIGSTOP), shorter and longer than an election takes',
  run: (context) =>
    withCluster({ groups: GROUP }, async (cluster) => {
      const { random } = context;
      const { result, report } = await underTokenLoad(
        cluster,
        { random, writers: 16 },
        async (load) => {
          for (let round = 0; context.again(round, PAUSES.length); round++) {
            await load.progressed(50);
            await PAUSES[round % PAUSES.length]!(cluster, load, context);
          }
          await load.progressed(50);
          return 'paused leaders and followers';
        },
      );
      return told(result, report);
    }),
};

type Pause = (cluster: ProcessCluster, load: TokenLoad, context: FaultContext) => Promise<void>;

const PAUSES: readonly Pause[] = [
  async (cluster, _load, { progress }) => {
    const { leader } = await leadership(cluster);
    await paused(leader, () => sleep(SHORT_MS));
    progress(`leader ${leader.id} for ${SHORT_MS} ms`);
  },
  async (cluster, load, { random, progress }) => {
    const { followers } = await leadership(cluster);
    const follower = oneOf(followers, random);
    await paused(follower, () => load.progressed(500));
    progress(`follower ${follower.id} while others worked`);
  },
  async (cluster, load, { progress }) => {
    const { leader, followers } = await leadership(cluster);
    await paused(leader, async () => {
      await until('another leader', async () => (await leaderAmong(followers)) !== undefined);
      await load.progressed(100);
    });
    progress(`leader ${leader.id} until another one led`);
  },
  async (cluster, _load, { random, progress }) => {
    const { followers } = await leadership(cluster);
    const follower = oneOf(followers, random);
    await paused(follower, () => sleep(SHORT_MS));
    progress(`follower ${follower.id} for ${SHORT_MS} ms`);
  },
  async (cluster, _load, { progress }) => {
    // All stand still for longer than any of them waits for a leader, and go on together.
    for (const node of cluster.nodes) node.signal('SIGSTOP');
    await sleep(3000);
    for (const node of cluster.nodes) node.signal('SIGCONT');
    progress('all for 3 s');
  },
];

async function paused(node: ProcessNode, during: () => Promise<void>): Promise<void> {
  node.signal('SIGSTOP');
  try {
    await during();
  } finally {
    node.signal('SIGCONT');
  }
}

interface Leadership {
  readonly leader: ProcessNode;
  readonly followers: readonly ProcessNode[];
}

async function leadership({ nodes }: ProcessCluster): Promise<Leadership> {
  let leader: ProcessNode | undefined;
  await until('a leader', async () => {
    leader = await leaderAmong(nodes);
    return leader !== undefined;
  });
  return { leader: leader!, followers: nodes.filter((node) => node !== leader) };
}

/** The node that says that it leads the documents, in the latest term that any of them knows of. */
async function leaderAmong(nodes: readonly ProcessNode[]): Promise<ProcessNode | undefined> {
  const groups = await Promise.all(nodes.map(groupOf));
  const term = Math.max(...groups.map((group) => group.term));
  return nodes.find((_, at) => groups[at]!.role === 'leader' && groups[at]!.term === term);
}

async function groupOf({ clientAddress }: ProcessNode) {
  const { groups } = await NodeView.with(clientAddress, (view) => view.status());
  return groups.find(({ group }) => group === GROUP)!;
}
