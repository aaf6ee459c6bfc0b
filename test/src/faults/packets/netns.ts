// What a network does to packets and a proxy cannot: they are lost, doubled and overtaken, a node vanishes without a
// word, connections stay open to what is no more. As long as two nodes understand each other, a cluster of three must
// go on; a leader that nobody answers must know that it leads no more.

import type { Link, ProcessCluster } from '@deltabase/testkit';
import { withCluster } from '../../scratch.js';
import { type TokenLoad, underTokenLoad } from '../../token-load.js';
import type { FaultCase, FaultContext } from '../fault-case.js';
import { anyLeader, caughtUp, leadsNoMore } from '../leaders.js';
import { oneOf, told } from '../telling.js';
import { CLIENTS, type PacketCounts, SwitchedNetwork } from './switched-network.js';

const NODES = [1, 2, 3];
/** Of the list below. */
const SHORT_TROUBLES = 4;
const GONE = { lost: 100 };
const PROGRESS_MS_MAX = 60_000;

export const netns: FaultCase = {
  name: 'netns',
  what: 'nodes on a network of their own lose packets, get them twice and late, fall silent, are unplugged',
  unavailable: SwitchedNetwork.unavailable,
  async run(context) {
    const network = await SwitchedNetwork.open(NODES);
    try {
      const { launch } = network;
      return await withCluster({ groups: 4, launch }, async (cluster) => {
        const { result, report } = await underTokenLoad(
          cluster,
          { random: context.random, writers: 16 },
          (load) => meetAll({ network, cluster, load, context }),
        );
        return told(result, report);
      });
    } finally {
      await network.close();
    }
  },
};

interface Scene {
  readonly network: SwitchedNetwork;
  readonly cluster: ProcessCluster;
  readonly load: TokenLoad;
  readonly context: FaultContext;
}

interface Trouble {
  readonly what: string;
  /** Makes it, and waits until the cluster has come through. Resolves with whom it struck. */
  meet(scene: Scene): Promise<string>;
}

async function meetAll(scene: Scene): Promise<string> {
  const { network, cluster, load, context } = scene;
  for (let round = 0; context.again(round, SHORT_TROUBLES); round++) {
    const { what, meet } = TROUBLES[round % TROUBLES.length]!;
    await load.progressed(50, PROGRESS_MS_MAX);
    const begunMs = performance.now();
    const struck = await meet(scene);
    await network.heal();
    const healedMs = performance.now();
    await caughtUp(cluster);
    const [lasted, back] = [healedMs - begunMs, performance.now() - healedMs].map(Math.round);
    context.progress(`${what} (${struck}): ${lasted} ms, all had caught up ${back} ms later`);
  }
  await load.progressed(50, PROGRESS_MS_MAX);
  const { lost, doubled, late } = await network.counts();
  return `${lost} packets were lost, ${doubled} doubled, ${late} late`;
}

const TROUBLES: readonly Trouble[] = [
  {
    what: 'one packet in ten is lost between all nodes',
    async meet({ network, load }) {
      await network.set(between(NODES), { lost: 10 });
      await harmed(network, 'lost', () => load.progressed(200, PROGRESS_MS_MAX));
      return 'all';
    },
  },
  {
    what: 'packets arrive twice, and late, also those of clients',
    async meet({ network, load }) {
      await network.set(between([CLIENTS, ...NODES]), { doubled: 20, late: 20 });
      await harmed(network, 'late', () =>
        harmed(network, 'doubled', () => load.progressed(200, PROGRESS_MS_MAX)),
      );
      return 'all';
    },
  },
  {
    what: 'a leader falls silent, for clients too: others lead, and it knows that it does not',
    async meet({ network, cluster, load, context }) {
      const leader = await anyLeader(cluster, context.random);
      await network.set(all(leader.id), GONE);
      await harmed(network, 'lost', () => load.progressed(100, PROGRESS_MS_MAX));
      await network.set(toOthers(leader.id), GONE);
      await leadsNoMore(leader);
      return `${leader.id}`;
    },
  },
  {
    what: 'a node is killed and started again while the others hear nothing of it, not even the end of connections',
    async meet({ network, cluster, load, context }) {
      const node = oneOf(cluster.nodes, context.random);
      await network.set(
        toOthers(node.id).filter(({ from }) => from === node.id),
        GONE,
      );
      await node.stop('SIGKILL');
      const starting = node.start();
      await load.progressed(100, PROGRESS_MS_MAX);
      await network.heal();
      await starting;
      return `${node.id}`;
    },
  },
  {
    what: 'clients reach a leader that no other node reaches: it leads no more, others do',
    async meet({ network, cluster, load, context }) {
      const leader = await anyLeader(cluster, context.random);
      await network.set(toOthers(leader.id), GONE);
      await leadsNoMore(leader);
      await load.progressed(100, PROGRESS_MS_MAX);
      return `${leader.id}`;
    },
  },
  {
    what: 'what one node sends does not reach another one, nor its word that it got what it was sent',
    async meet({ network, cluster, load, context }) {
      const leader = await anyLeader(cluster, context.random);
      const deaf = oneOf(others(leader.id), context.random);
      await network.set([{ from: leader.id, to: deaf }], GONE);
      await harmed(network, 'lost', () => load.progressed(200, PROGRESS_MS_MAX));
      return `${leader.id} to ${deaf}`;
    },
  },
  {
    what: 'the cable of a node is pulled',
    async meet({ network, cluster, load, context }) {
      const node = oneOf(cluster.nodes, context.random);
      await network.plug(node.id, 'down');
      await load.progressed(200, PROGRESS_MS_MAX);
      await network.plug(node.id, 'up');
      return `${node.id}`;
    },
  },
  {
    what: 'a third of all packets is lost on the way to and from one node',
    async meet({ network, cluster, load, context }) {
      const node = oneOf(cluster.nodes, context.random);
      await network.set(all(node.id), { lost: 33 });
      await harmed(network, 'lost', () => load.progressed(200, PROGRESS_MS_MAX));
      return `${node.id}`;
    },
  },
];

function both(a: number, b: number): Link[] {
  return [
    { from: a, to: b },
    { from: b, to: a },
  ];
}

function between(ends: readonly number[]): Link[] {
  return ends.flatMap((from) => ends.filter((to) => to !== from).map((to) => ({ from, to })));
}

function others(node: number): number[] {
  return NODES.filter((other) => other !== node);
}

/** Its links with other nodes. */
function toOthers(node: number): Link[] {
  return others(node).flatMap((other) => both(node, other));
}

/** Every link of a node. */
function all(node: number): Link[] {
  return [...toOthers(node), ...both(node, CLIENTS)];
}

/** Does it; throws if the network harmed no packet meanwhile, for then it proves nothing. */
async function harmed(
  network: SwitchedNetwork,
  harm: keyof PacketCounts,
  during: () => Promise<void>,
): Promise<void> {
  const before = (await network.counts())[harm];
  await during();
  if ((await network.counts())[harm] === before) throw new Error(`no packet was ${harm}`);
}
