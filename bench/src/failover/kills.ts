// kill -9 of a node under load: how long the groups that it led answer nothing.

import type { Client } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import type { ProcessCluster } from '@deltabase/testkit';
import { sleep } from '../bench-cluster.js';
import { type Counters, SPACE } from '../counters.js';
import type { Shot } from '../load.js';
import { WAIT_MS, type Writers } from './writers.js';

export interface Scene {
  readonly cluster: ProcessCluster;
  readonly client: Client;
  readonly groups: number;
  readonly probes: Counters;
  readonly writers: Writers;
}

/** What one kill did. */
export interface Outage {
  /** For each group that the killed node led, until a message to it was answered. */
  readonly groupsMs: readonly number[];
  /** The longest time in which no writer was answered. */
  readonly silenceMs: number;
}

/** Answers before each kill, so that it meets a cluster at work. */
const WARM_ANSWERS = 2000;

/** Kills one node after the other, and starts it again. */
export async function killOne(scene: Scene, run: number): Promise<Outage> {
  const { cluster, client, groups, probes, writers } = scene;
  const victim = 1 + (run % cluster.nodes.length);
  await leadersSettled(cluster, client);
  await writers.answered(WARM_ANSWERS);
  const shots = groupsLedBy(victim, scene).map((group) =>
    probes.add(probes.document(keyIn(group, groups, run))),
  );
  writers.silence.forget();
  // Its death is what the clock starts at, not the news of it.
  const gone = cluster.node(victim).stop('SIGKILL');
  const startMs = performance.now();
  const groupsMs = await Promise.all(shots.map((shot) => answeredAfter(shot, startMs)));
  const silenceMs = writers.silence.longestMs;
  await gone;
  await cluster.node(victim).start();
  return { groupsMs, silenceMs };
}

async function answeredAfter({ document, channel, payload }: Shot, startMs: number) {
  await document.send(channel, payload);
  return performance.now() - startMs;
}

/** Groups of documents whose leader a cluster at rest wants this node to be. */
function groupsLedBy(node: number, { cluster, groups }: Scene): number[] {
  const all = Array.from({ length: groups }, (_, at) => at + 1);
  return all.filter((group) => leaderAtRest(group, cluster.nodes.length) === node);
}

function leaderAtRest(group: number, nodes: number): number {
  return 1 + (group % nodes);
}

/** A key of a document in a group. */
export function keyIn(group: number, groups: number, run: number): string {
  for (let n = 0; ; n++) {
    const key = `run-${run}-group-${group}-${n}`;
    if (groupOf(SPACE, key, groups) === group) return key;
  }
}

/** Waits until every node is up and says that each group has the leader that it should have. */
export async function leadersSettled({ nodes }: ProcessCluster, client: Client): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  while (performance.now() < endMs) {
    const reports = await client.cluster.nodes();
    const isSettled = reports.every(
      (report) =>
        report.kind === 'status' &&
        report.status.groups.every(
          ({ group, leader }) => leader === leaderAtRest(group, nodes.length),
        ),
    );
    if (isSettled && reports.length === nodes.length) return;
    await sleep(100);
  }
  throw new Error('the leaders did not come to rest');
}
