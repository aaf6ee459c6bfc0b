// The wall clock of one node jumps by hours, ahead and back, or runs too fast, while the others' are right
// (libfaketime; the monotonic clock stays true). The nodes' median must hold: sessions live, nothing is lost or twice.

import type { ProcessCluster } from '@deltabase/testkit';
import { withCluster, withFolder, within } from '../../scratch.js';
import { underTokenLoad } from '../../token-load.js';
import type { FaultCase, FaultContext } from '../fault-case.js';
import { oneOf, told } from '../telling.js';
import { Faketime } from './faketime.js';

const STEPS = ['+5h x1', '-5h x1', '+0 x5000'];
/** With its rate, or the last one stays. */
const RIGHT = '+0 x1';
const NODES = [1, 2, 3];

export const clockSteps: FaultCase = {
  name: 'clock-steps',
  what: 'the wall clock of a node jumps by hours, ahead and back, or runs much too fast',
  unavailable: Faketime.unavailable,
  run: (context) =>
    withFolder(async (folder) => {
      const clocks = await Faketime.open({ folder, clocks: 'wall' });
      for (const node of NODES) await clocks.set(node, RIGHT);
      const { launch } = clocks;
      return await withCluster({ groups: 4, launch }, (cluster) =>
        stepClocks(cluster, clocks, context),
      );
    }),
};

async function stepClocks(
  cluster: ProcessCluster,
  clocks: Faketime,
  { random, again, progress }: FaultContext,
): Promise<string> {
  const options = { random, writers: 16 };
  const { result, report } = await underTokenLoad(cluster, options, async (load) => {
    for (let round = 0; again(round, STEPS.length); round++) {
      await load.progressed(50);
      const node = oneOf(cluster.nodes, random);
      const step = STEPS[round % STEPS.length]!;
      await within(`node ${node.id} notices ${step}`, turnClock(step, node.said(/"clock-wrong"/)));
      await load.progressed(200);
      await within(`node ${node.id} notices the end`, turnClock(RIGHT, node.said(/"clock-right"/)));
      progress(`node ${node.id}: ${step}`);

      async function turnClock(to: string, noticed: Promise<void>): Promise<void> {
        await clocks.set(node.id, to);
        await noticed;
      }
    }
    await load.progressed(50);
    return 'clocks were wrong, and the nodes noticed';
  });
  if (report.refused + report.unknown > 0) {
    throw new Error(`a wrong clock cost messages: ${told(result, report)}`);
  }
  return told(result, report);
}
