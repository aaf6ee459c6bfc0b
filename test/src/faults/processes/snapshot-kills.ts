// kill -9 while a follower that is far behind fetches a snapshot: of the one that sends it, and of the one that gets
// it. Half a snapshot must count for nothing (docs/raft.md, pitfall 24).

import type { ProcessCluster, ProcessNode } from '@deltabase/testkit';
import { sleep, withCluster, within } from '../../scratch.js';
import { type TokenLoad, underTokenLoad } from '../../token-load.js';
import type { FaultCase, FaultContext } from '../fault-case.js';
import { oneOf, told } from '../telling.js';

/** No log is kept for those that are away, and a snapshot comes in many small pieces. */
const LIMITS = [
  'flushIntervalMs=100',
  'trailingLogBytesMax=2048',
  'heldLogBytesMax=2048',
  'snapshotChunkBytesMax=2048',
];
const ROUNDS = 2;
/** A snapshot takes about as long. */
const TRANSFER_MS = 300;

export const snapshotKills: FaultCase = {
  name: 'snapshot-kills',
  what: 'nodes are killed while one of them fetches snapshots from the others',
  run: (context) =>
    withCluster({ groups: 4, flags: { limits: LIMITS.join(',') } }, async (cluster) => {
      const { random } = context;
      const { result, report } = await underTokenLoad(
        cluster,
        { random, writers: 16, documents: 60 },
        async (load) => {
          for (let round = 0; context.again(round, ROUNDS); round++) {
            await disturbSnapshots(cluster, load, context);
          }
          await load.progressed(50);
          return 'snapshots were cut short';
        },
      );
      return told(result, report);
    }),
};

async function disturbSnapshots(
  cluster: ProcessCluster,
  load: TokenLoad,
  { random, progress }: FaultContext,
): Promise<void> {
  const receiver = oneOf(cluster.nodes, random);
  const sender = oneOf(
    cluster.nodes.filter((node) => node !== receiver),
    random,
  );
  await receiver.stop('SIGKILL');
  await load.progressed(300);
  await startAndBegin(receiver);
  await sleep(random.below(TRANSFER_MS));
  await receiver.stop('SIGKILL');
  await startAndBegin(receiver);
  await sleep(random.below(TRANSFER_MS));
  await sender.stop('SIGKILL');
  await sender.start();
  await load.progressed(100);
  progress(`node ${receiver.id} was killed with half a snapshot, then node ${sender.id} that sent`);
}

/** Starts a node that is far behind; resolves when it has begun to fetch a snapshot. */
async function startAndBegin(node: ProcessNode): Promise<void> {
  const begun = node.said(/"snapshot-begun"/);
  await node.start();
  await within(`node ${node.id} fetches a snapshot`, begun);
}
