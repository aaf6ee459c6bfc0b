// The wall clock of one node jumps by hours, ahead and back, or runs too fast, while the others' are right
// (libfaketime; the monotonic clock stays true). The nodes' median must hold: sessions live, nothing is lost or twice.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withCluster, within } from '../../scratch.js';
import { underTokenLoad } from '../../token-load.js';
import type { FaultCase, FaultContext } from '../fault-case.js';
import { oneOf, told } from '../telling.js';

const LIBRARIES = '/usr/lib';
const LIBRARY = 'faketime/libfaketime.so.1';
/** As libfaketime writes it: added to the time, or with a rate. */
const STEPS = ['+5h x1', '-5h x1', '+0 x5000'];
/** With its rate, or the last one stays. */
const RIGHT = '+0 x1';
const NODES = [1, 2, 3];

export const clockSteps: FaultCase = {
  name: 'clock-steps',
  what: 'the wall clock of a node jumps by hours, ahead and back, or runs much too fast',
  unavailable: async () =>
    (await findLibrary()) === undefined ? 'it has no libfaketime (Debian: faketime)' : undefined,
  run: async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'deltabase-clocks-'));
    const clockOf = (node: number): string => join(folder, `clock-${node}`);
    try {
      for (const node of NODES) await writeFile(clockOf(node), RIGHT);
      const library = (await findLibrary())!;
      const launch = (node: number) => ({
        environment: {
          LD_PRELOAD: library,
          FAKETIME_TIMESTAMP_FILE: clockOf(node),
          FAKETIME_CACHE_DURATION: '1',
          DONT_FAKE_MONOTONIC: '1',
        },
      });
      return await withCluster({ groups: 4, launch }, (cluster) =>
        stepClocks(cluster, clockOf, context),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

type Cluster = Parameters<Parameters<typeof withCluster>[1]>[0];

async function stepClocks(
  cluster: Cluster,
  clockOf: (node: number) => string,
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
        await writeFile(clockOf(node.id), to);
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

async function findLibrary(): Promise<string | undefined> {
  for (const name of await readdir(LIBRARIES).catch(() => [])) {
    const folder = join(LIBRARIES, name, 'faketime');
    const files = await readdir(folder).catch(() => [] as string[]);
    if (files.includes('libfaketime.so.1')) return join(LIBRARIES, name, LIBRARY);
  }
  return undefined;
}
