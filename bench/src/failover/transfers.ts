// A planned transfer of a group's leadership: how long a client waits that writes to the group all the time,
// beside the same of as long a time before it, in which nothing happens.

import { sleep } from '../bench-cluster.js';
import { keyIn, type Scene } from './kills.js';

/** What one transfer did. */
export interface Handover {
  /** The longest that a message waited for its answer, ms. */
  readonly waitMs: number;
  /** With the same load, and without a transfer. */
  readonly usualMs: number;
}

/** So long the group is watched; a transfer is over by then. */
const WATCH_MS = 1000;

/** Hands one group after the other to another node. */
export async function transferOne(scene: Scene, run: number): Promise<Handover> {
  const { cluster, client, groups } = scene;
  const group = 1 + (run % groups);
  const from = await leaderOf(scene, group);
  const to = 1 + (from % cluster.nodes.length);
  const usualMs = await longestWait(scene, { group, run }, () => sleep(WATCH_MS));
  const waitMs = await longestWait(scene, { group, run }, async () => {
    await client.members.transfer(group, to);
    await sleep(WATCH_MS);
  });
  const leader = await leaderOf(scene, group);
  if (leader !== to) throw new Error(`group ${group} is led by ${leader}, not by ${to}`);
  return { waitMs, usualMs };
}

/** Sends to a document of the group, one message after the other, while something happens. */
async function longestWait(
  { probes, groups }: Scene,
  { group, run }: { readonly group: number; readonly run: number },
  during: () => Promise<void>,
): Promise<number> {
  const target = probes.document(keyIn(group, groups, run));
  let isOver = false;
  let longestMs = 0;
  const write = async (): Promise<void> => {
    while (!isOver) {
      const { document, channel, payload } = probes.add(target);
      const startMs = performance.now();
      await document.send(channel, payload);
      longestMs = Math.max(longestMs, performance.now() - startMs);
    }
  };
  const writing = write();
  try {
    await during();
  } finally {
    isOver = true;
  }
  await writing;
  return longestMs;
}

async function leaderOf({ client }: Scene, group: number): Promise<number> {
  const { groups } = await client.cluster.status();
  return groups.find((one) => one.group === group)!.leader;
}
