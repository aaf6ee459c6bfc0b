// Many watchers of one document, on nodes and replicas, while these are killed: the leader, the nodes that feed replicas,
// replicas, and replicas that feed others. In the end each watcher is where the leader is, and none has missed a delta
// or got one twice.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { makePrng, type Prng } from '@deltabase/base';
import { type Client, DeltabaseError } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import type { ProcessCluster, ServingProcess } from '@deltabase/testkit';
import { type FanOut, FanOutWatcher, Links } from './fan-out-watcher.js';
import { connectAndDeploy, withCluster } from './scratch.js';

export interface FanOutOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly watchers: number;
  /** Messages a second. */
  readonly rate: number;
  /** Between two kills, ms. */
  readonly killEveryMs: number;
  readonly progress?: (line: string) => void;
}

export interface FanOutReport {
  readonly seq: number;
  readonly deltas: number;
  readonly moves: number;
  /** How often each was killed, by its name. */
  readonly kills: Readonly<Record<string, number>>;
  /** How long the last watcher took to come to the leader's seq, ms. */
  readonly settledMs: number;
}

const SPACE = 'counter';
const KEY = 'watched';
/** A process that was killed is started again after so long. */
const DOWN_MS = 1500;
const SETTLE_MS = 60_000;

export function fanOut(options: FanOutOptions): Promise<FanOutReport> {
  return withCluster({}, async (cluster) => {
    const client = await connectAndDeploy(cluster.addresses, SPACE);
    try {
      await client.document(SPACE, KEY).send('add', 1);
      for (const name of ['a', 'b']) await (await cluster.makeReplica(name)).start();
      const inner = cluster.replicas.map(({ clientAddress }) => clientAddress);
      await (await cluster.makeReplica('c', inner)).start();
      return await watchThrough(cluster, client, options);
    } finally {
      await client.close({ abandon: true });
    }
  });
}

async function watchThrough(
  cluster: ProcessCluster,
  client: Client,
  options: FanOutOptions,
): Promise<FanOutReport> {
  const { seed, watchers: count, progress } = options;
  const random = makePrng(seed);
  const links = new Links();
  const of: FanOut = {
    ...{ space: SPACE, key: KEY, links, random: random.fork('watchers') },
    addresses: () => [...cluster.replicas, ...cluster.nodes].map((each) => each.clientAddress),
    seen: new Map(),
  };
  const watchers = Array.from({ length: count }, () => new FanOutWatcher(of));
  try {
    await until(() => watchers.every(({ seq }) => seq > 0), 'every watcher has a state', watchers);
    progress?.(`${count} watchers have begun`);
    const writing = write(client, options);
    const kills = await kill(cluster, client, options, random.fork('kills'));
    await writing;
    const { seq, hash } = await client.document(SPACE, KEY).get();
    const endMs = performance.now();
    await until(() => watchers.every((each) => each.seq === seq), `all are at ${seq}`, watchers);
    const settledMs = Math.round(performance.now() - endMs);
    for (const watcher of watchers) assert.equal(watcher.hash, hash);
    const sum = (of_: (each: FanOutWatcher) => number): number =>
      watchers.reduce((total, each) => total + of_(each), 0);
    return {
      seq,
      kills,
      settledMs,
      deltas: sum((each) => each.deltas),
      moves: sum((each) => each.moves),
    };
  } finally {
    for (const watcher of watchers) watcher.close();
    links.close();
  }
}

/** Sends at a steady rate; what is not answered in time is sent by the client again, and takes effect once. */
async function write(client: Client, { seconds, rate }: FanOutOptions): Promise<void> {
  const document = client.document(SPACE, KEY);
  const sends: Promise<unknown>[] = [];
  const startMs = performance.now();
  for (let count = 0; count < seconds * rate; count++) {
    const dueMs = startMs + (count * 1000) / rate;
    await sleep(Math.max(0, dueMs - performance.now()));
    sends.push(document.send('add', 1, { deadlineMs: 30_000 }));
  }
  await Promise.all(sends);
}

/** Kills one process after the other, and starts it again; the leader of the document every third time. */
async function kill(
  cluster: ProcessCluster,
  client: Client,
  { seconds, killEveryMs, progress }: FanOutOptions,
  random: Prng,
): Promise<Record<string, number>> {
  const kills: Record<string, number> = {};
  const endMs = performance.now() + seconds * 1000;
  for (let count = 0; performance.now() + DOWN_MS < endMs; count++) {
    await sleep(killEveryMs);
    const victim = await victimOf(cluster, client, count, random);
    await victim.stop('SIGKILL');
    kills[victim.label] = (kills[victim.label] ?? 0) + 1;
    progress?.(`${victim.label} killed`);
    await sleep(DOWN_MS);
    await victim.start();
  }
  return kills;
}

async function victimOf(
  { nodes, replicas, groups }: ProcessCluster,
  client: Client,
  count: number,
  random: Prng,
): Promise<ServingProcess> {
  if (count % 3 === 1) return replicas[random.below(replicas.length)]!;
  if (count % 3 === 2) return nodes[random.below(nodes.length)]!;
  const leader = await leaderOf(client, groups);
  return nodes.find(({ id }) => id === leader) ?? nodes[0]!;
}

/** Who leads the group of the document; 0: nobody answers that. */
async function leaderOf(client: Client, groups: number): Promise<number> {
  try {
    const group = groupOf(SPACE, KEY, groups);
    for (const report of await client.cluster.nodes({ deadlineMs: 2000 })) {
      if (report.kind !== 'status') continue;
      const found = report.status.groups.find((each) => each.group === group);
      if (found !== undefined && found.role === 'leader') return report.status.node;
    }
    return 0;
  } catch (thrown) {
    if (thrown instanceof DeltabaseError) return 0;
    throw thrown;
  }
}

async function until(
  is: () => boolean,
  what: string,
  watchers: readonly FanOutWatcher[],
): Promise<void> {
  const endMs = performance.now() + SETTLE_MS;
  while (!is()) {
    const failed = watchers.find(({ failure }) => failure !== undefined);
    if (failed !== undefined) throw failed.failure;
    assert.ok(performance.now() < endMs, `not within ${SETTLE_MS} ms: ${what}`);
    await sleep(20);
  }
  const failed = watchers.find(({ failure }) => failure !== undefined);
  if (failed !== undefined) throw failed.failure;
}
