// kill -9 in loops: of some nodes or of all, while they work and while they start.

import type { Prng } from '@deltabase/base';
import type { ProcessNode } from '@deltabase/testkit';
import { sleep, withCluster } from '../../scratch.js';
import { underTokenLoad } from '../../token-load.js';
import type { FaultCase, FaultContext } from '../fault-case.js';
import { someOf, told } from '../telling.js';

const ROUNDS = 5;
const WRITERS = 32;
/** A node takes about as long to start. */
const BOOT_MS = 800;
/** Of those that are started, every third meets the next kill before it listens. */
const BOOT_KILLS = 3;

export const kills: FaultCase = {
  name: 'kills',
  what: 'one node, two or all are killed (kill -9) under load, and again while they start',
  run: (context) =>
    withCluster({}, async (cluster) => {
      const { random } = context;
      const { result, report } = await underTokenLoad(
        cluster,
        { random, writers: WRITERS },
        async (load) => {
          let count = 0;
          for (let round = 0; context.again(round, ROUNDS); round++) {
            await load.progressed(100, 60_000);
            const struck = someOf(cluster.nodes, random);
            const kills = await Promise.all(struck.map((node) => killOften(node, context)));
            count += kills.reduce((sum, each) => sum + each);
            context.progress(`killed ${struck.map(({ id }) => id).join(', ')}`);
          }
          await load.progressed(100, 60_000);
          return `${count} kills`;
        },
      );
      return told(result, report);
    }),
};

/** Kills a node, and perhaps again while it starts. Resolves when it runs, with the number of kills. */
async function killOften(node: ProcessNode, { random }: FaultContext): Promise<number> {
  await node.stop('SIGKILL');
  let count = 1;
  for (; random.below(BOOT_KILLS) === 0; count++) await killAtStart(node, random);
  await node.start();
  return count;
}

/** Starts a node and kills it before it listens, or, if it was quick, just after. */
async function killAtStart(node: ProcessNode, random: Prng): Promise<void> {
  const started = node.start().catch(() => {});
  await sleep(random.below(BOOT_MS));
  await node.stop('SIGKILL');
  await started;
}
