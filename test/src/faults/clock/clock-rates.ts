// The nodes' clocks run at rates of their own, the monotonic ones as well (libfaketime): time-outs of one end sooner
// than others', whoever leads. No promise may depend on it; while rates are near each other nobody may be voted out
// for it either, and no message be lost to it.

import type { ProcessCluster } from '@deltabase/testkit';
import { calmOf, leadersSettled, type NodeCalm } from '../../calm.js';
import { NodeView } from '../../node-view.js';
import { sleep, withCluster, withFolder } from '../../scratch.js';
import { type TokenLoad, underTokenLoad } from '../../token-load.js';
import type { FaultCase, FaultContext } from '../fault-case.js';
import { told } from '../telling.js';
import { Faketime } from './faketime.js';

const NODES = [1, 2, 3];
/** Of one node each. A leader at 0.25 sends a heartbeat in 400 ms; a follower at 2.5 waits for one for as long. */
const NEAR = [0.6, 1, 1.5];
const FAR = [0.25, 1, 2.5];
const SHORT_ROUNDS = 1;
const PROGRESS_MS_MAX = 60_000;
/** For so long the clocks are looked at, ms, and may be off by so much of it. */
const LOOK_MS = 2000;
const RATE_ERROR_MAX = 0.1;

export const clockRates: FaultCase = {
  name: 'clock-rates',
  what: 'all clocks of a node run too fast or too slow, the monotonic one as well, from 0.25 to 2.5 times',
  unavailable: Faketime.unavailable,
  run: (context) =>
    withFolder(async (folder) => {
      const clocks = await Faketime.open({ folder, clocks: 'all' });
      const rounds: string[] = [];
      for (let round = 0; context.again(round, SHORT_ROUNDS); round++) {
        rounds.push(await runAt(ratesOf(round), clocks, context));
        context.progress(rounds.at(-1)!);
      }
      return rounds.join('\n');
    }),
};

/** Far ones and near ones in turn, each node with each. */
function ratesOf(round: number): readonly number[] {
  const rates = round % 2 === 0 ? FAR : NEAR;
  return NODES.map((node) => rates[(node + (round >> 1)) % rates.length]!);
}

async function runAt(
  rates: readonly number[],
  clocks: Faketime,
  { random }: FaultContext,
): Promise<string> {
  for (const [at, node] of NODES.entries()) await clocks.set(node, `+0 x${rates[at]}`);
  const { launch } = clocks;
  return await withCluster({ groups: 4, launch }, async (cluster) => {
    const { result, report } = await underTokenLoad(cluster, { random, writers: 16 }, (load) =>
      watchClocks(cluster, rates, load),
    );
    const what = `rates ${rates.join(', ')}: ${result}`;
    if (report.refused + report.unknown > 0) {
      throw new Error(`a clock's rate cost messages: ${told(what, report)}`);
    }
    return told(what, report);
  });
}

async function watchClocks(
  cluster: ProcessCluster,
  rates: readonly number[],
  load: TokenLoad,
): Promise<string> {
  await leadersSettled(cluster);
  const before = await calmOf(cluster);
  await Promise.all([look(cluster, rates), load.progressed(500, PROGRESS_MS_MAX)]);
  const elections = termsOf(await calmOf(cluster)) - termsOf(before);
  return `${elections} elections`;
}

/** Throws unless the nodes' monotonic clocks run as they were told to. */
async function look({ nodes }: ProcessCluster, rates: readonly number[]): Promise<void> {
  const uptimes = (): Promise<number[]> => Promise.all(nodes.map(uptimeMs));
  const before = await uptimes();
  const beganMs = performance.now();
  await sleep(LOOK_MS);
  const after = await uptimes();
  const passedMs = performance.now() - beganMs;
  for (const [at, rate] of rates.entries()) {
    const found = (after[at]! - before[at]!) / passedMs;
    if (Math.abs(found / rate - 1) <= RATE_ERROR_MAX) continue;
    throw new Error(`the clock of node ${nodes[at]!.id} runs at ${found}, not at ${rate}`);
  }
}

async function uptimeMs({ clientAddress }: ProcessCluster['nodes'][number]): Promise<number> {
  const view = new NodeView(clientAddress);
  try {
    return (await view.status()).uptimeMs;
  } finally {
    view.close();
  }
}

/** The sum of the groups' terms, as far as any node knows. */
function termsOf(nodes: readonly NodeCalm[]): number {
  const terms = nodes[0]!.groups.map((_, at) =>
    Math.max(...nodes.map(({ groups }) => groups[at]![2])),
  );
  return terms.reduce((sum, term) => sum + term, 0);
}
