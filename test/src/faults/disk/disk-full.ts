// Disks that are really full. With the head-room of `diskFreeBytesMin` nodes take no messages any more well before that,
// and hand over what they lead; when something else takes that room too, a write fails half-way (ENOSPC): then the node
// must stop for good, and have all that it acknowledged when it is started again with room.

import type { Prng } from '@deltabase/base';
import type { ProcessCluster, ProcessNode } from '@deltabase/testkit';
import { NodeView } from '../../node-view.js';
import { until, withClusterIn, withFolder, within } from '../../scratch.js';
import { type TokenLoad, underTokenLoad } from '../../token-load.js';
import type { FaultCase, FaultContext } from '../fault-case.js';
import { anyLeader, leadsNoMore } from '../leaders.js';
import { someOf, told } from '../telling.js';
import { endsForGood } from './ends-for-good.js';
import { SmallDisks } from './small-disks.js';

const NODES = [1, 2, 3];
const GROUPS = 4;
const MIB = 1024 * 1024;
const DISK_BYTES = 192 * MIB;
/** LevelDB writes tables of 32 MiB at once, and logs of as much. */
const HEAD_ROOM_BYTES = 64 * MIB;
/** What is left above the head-room for the cluster's own writes to take. */
const ABOVE_BYTES = 64 * 1024;
/** What is left on a disk that fills up at once: less than is written between two looks at it. */
const ROOM_BYTES_MAX = 64 * 1024;
const PROGRESS_MS_MAX = 60_000;
const READS = 50;
const REFUSAL = /bytes of disk left and takes messages from/;
const NO_SPACE = /no space left on device/i;
const REFUSED_START = /deltabase: .*no space left on device.*start this node again/i;
const ATTEMPTS = 5;

export const diskFull: FaultCase = {
  name: 'disk-full',
  what: 'small disks fill up, with the head-room and in spite of it: until messages are refused, and until a write fails',
  unavailable: SmallDisks.unavailable,
  run: (context) =>
    withFolder(async (directory) => {
      const disks = await SmallDisks.open({ directory, nodes: NODES, bytes: DISK_BYTES });
      try {
        const flags = { limits: `diskFreeBytesMin=${HEAD_ROOM_BYTES}` };
        const options = { groups: GROUPS, flags, launch: disks.launch };
        return await withClusterIn(directory, options, async (cluster) => {
          const { random } = context;
          const { result, report } = await underTokenLoad(
            cluster,
            { random, writers: 16 },
            (load) => fillAll({ disks, cluster, load, context }),
          );
          return told(result, report);
        });
      } finally {
        await disks.close();
      }
    }),
};

interface Scene {
  readonly disks: SmallDisks;
  readonly cluster: ProcessCluster;
  readonly load: TokenLoad;
  readonly context: FaultContext;
}

/** Fills disks, and makes room again; resolves with what it did. */
type Filling = (scene: Scene) => Promise<string>;

const FILLINGS: readonly Filling[] = [fillOneByOne, fillAtOnce];

async function fillAll(scene: Scene): Promise<string> {
  const { load, context } = scene;
  let count = 0;
  for (; context.again(count, FILLINGS.length); count++) {
    await load.progressed(100, PROGRESS_MS_MAX);
    context.progress(await FILLINGS[count % FILLINGS.length]!(scene));
  }
  await load.progressed(100, PROGRESS_MS_MAX);
  return `disks were filled ${count} times`;
}

/** A leader's disk gets low: others lead. Then all do: nothing is taken, reads go on. */
async function fillOneByOne({ disks, cluster, load, context }: Scene): Promise<string> {
  const { nodes } = cluster;
  const first = await anyLeader(cluster, context.random);
  await getLow(disks, [first]);
  await leadsNoMore(first);
  await load.progressed(100, PROGRESS_MS_MAX);
  await getLow(
    disks,
    nodes.filter((node) => node !== first),
  );
  for (const node of nodes) await refuses(node);
  const { acknowledged, reads } = load;
  await until('reads go on', () => load.reads > reads + READS);
  if (load.acknowledged > acknowledged) throw new Error('a message was taken without room');
  await getRoom(disks, nodes);
  return `node ${first.id} had little room, and others led; all had, and messages were refused`;
}

/** Waits until these nodes' own writes have used what is above the head-room, and they say so. */
async function getLow(disks: SmallDisks, nodes: readonly ProcessNode[]): Promise<void> {
  const said = nodes.map((node) => node.said(/"disk-low"/));
  for (const { id } of nodes) await disks.fill(id, HEAD_ROOM_BYTES + ABOVE_BYTES);
  await within('little room is noticed', Promise.all(said), PROGRESS_MS_MAX);
  for (const { id } of nodes) {
    const freeBytes = await disks.freeBytes(id);
    if (freeBytes < HEAD_ROOM_BYTES / 2) throw new Error(`node ${id} has ${freeBytes} bytes left`);
  }
}

async function getRoom(disks: SmallDisks, nodes: readonly ProcessNode[]): Promise<void> {
  const said = nodes.map((node) => node.said(/"disk-has-room"/));
  for (const { id } of nodes) await disks.empty(id);
  await within('room is noticed', Promise.all(said));
}

/** Whoever leads refuses a message that comes through this node, and says why. */
async function refuses({ id, clientAddress }: ProcessNode): Promise<void> {
  const view = new NodeView(clientAddress);
  let answer = '';
  try {
    const session = { name: `full-${id}`, openedAtMs: Date.now() };
    const payload = { at: 0, text: 'never ' };
    const message = { space: 'text', key: 'doc-0', channel: 'insert', payload, session, number: 1 };
    await until('a refusal, after leaders have moved', async () => {
      answer = await view.send(message);
      if (answer === 'accepted') throw new Error('a message was taken without room');
      return REFUSAL.test(answer);
    });
  } catch (cause) {
    throw new Error(`node ${id} answered: ${answer}`, { cause });
  } finally {
    view.close();
  }
}

/** Disks are full before their nodes notice: these must end, and go on only when there is room. */
async function fillAtOnce({ disks, cluster, load, context }: Scene): Promise<string> {
  const { random } = context;
  const struck = someOf(cluster.nodes, random);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await load.progressed(100, PROGRESS_MS_MAX);
    const ended = await fillUnnoticed(struck, disks, random);
    for (const node of ended) await startsOnlyWithRoom(node, disks);
    await load.progressed(100, PROGRESS_MS_MAX);
    const [all, some] = [struck, ended].map((nodes) => nodes.map(({ id }) => id).join(', '));
    if (ended.length > 0) return `disks of ${all} were full, writes of ${some} failed half-way`;
  }
  throw new Error(`it was noticed ${ATTEMPTS} times that disks were about to be full`);
}

/**
 * Fills disks faster than it is looked. Resolves with the nodes that ended for it; the others have room again: they
 * had nothing to write until they noticed, mostly because others had ended.
 */
async function fillUnnoticed(
  nodes: readonly ProcessNode[],
  disks: SmallDisks,
  random: Prng,
): Promise<ProcessNode[]> {
  const known = nodes.map((node) => Promise.race([node.exited, node.said(/"disk-low"/)]));
  await Promise.all(nodes.map(({ id }) => disks.fill(id, random.below(ROOM_BYTES_MAX))));
  await within('full disks are noticed', Promise.all(known));
  const roomy = nodes.map((node) => Promise.race([node.exited, node.said(/"disk-has-room"/)]));
  for (const { id } of nodes) await disks.empty(id);
  await within('room is noticed', Promise.all(roomy));
  const ended = nodes.filter((node) => !node.isUp);
  for (const node of ended) {
    await endsForGood(node);
    if (node.log.some((line) => NO_SPACE.test(line))) continue;
    throw new Error(`node ${node.id} does not say why it ended: ${node.log.at(-1)}`);
  }
  return ended;
}

/** A node whose disk is still full says so, in one line, and does its files no harm by trying. */
async function startsOnlyWithRoom(node: ProcessNode, disks: SmallDisks): Promise<void> {
  await disks.fill(node.id, 0);
  const refused = await node.start().then(
    () => 'it listens',
    (thrown: Error) => thrown.message,
  );
  if (!REFUSED_START.test(refused)) {
    throw new Error(`node ${node.id} was started without room: ${refused}`);
  }
  await disks.empty(node.id);
  await node.start();
}
