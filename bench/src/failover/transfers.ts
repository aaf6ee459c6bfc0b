// A planned transfer of a group's leadership under load: the longest time in which no message to the group is answered,
// beside the same of as long a time before it, in which nothing happens.

import type { Silence } from '@deltabase/testkit';
import { sleep } from '../bench-cluster.js';
import { type Scene, WARM_ANSWERS } from './kills.js';

/** What one transfer did. */
export interface Handover {
  readonly silenceMs: number;
  /** With the same load, and without a transfer. */
  readonly usualMs: number;
}

/** So long the group is watched; a transfer is over by then. */
const WATCH_MS = 1000;

/** Hands one group after the other to another node. */
export async function transferOne(scene: Scene, run: number): Promise<Handover> {
  const { cluster, client, groups, writers } = scene;
  const group = 1 + (run % groups);
  await writers.answered(WARM_ANSWERS);
  const from = await leaderOf(scene, group);
  const to = 1 + (from % cluster.nodes.length);
  const silence = writers.silenceOf(group);
  const usualMs = await watch(silence, () => sleep(WATCH_MS));
  const silenceMs = await watch(silence, async () => {
    await client.members.transfer(group, to);
    await sleep(WATCH_MS);
  });
  const leader = await leaderOf(scene, group);
  if (leader !== to) throw new Error(`group ${group} is led by ${leader}, not by ${to}`);
  return { silenceMs, usualMs };
}

async function watch(silence: Silence, during: () => Promise<void>): Promise<number> {
  silence.forget();
  await during();
  return silence.longestMs;
}

async function leaderOf({ client }: Scene, group: number): Promise<number> {
  const { groups } = await client.cluster.status();
  return groups.find((one) => one.group === group)!.leader;
}
