// Two stopped nodes of three, and what must be known of them. The third is gone, and with it the only other copy of
// what the first acknowledged last: if the first starts again it must have all of it, and say nothing wrong, or else
// it must not start. What the two are is kept, so that they can be damaged again and again.

import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '@deltabase/base';
import { NODE_COMMAND } from '@deltabase/server';
import { ProcessCluster, type ProcessNode } from '@deltabase/testkit';
import { connectAndDeploy } from '../../scratch.js';
import { TokenLoad } from '../../token-load.js';

/** Small, so that rows move into tables, snapshots are made and logs end often. */
const LOG_LIMITS = 'trailingLogBytesMax=4096,absentLogBytesMax=4096';
const FLAGS = { limits: `flushIntervalMs=200,snapshotDeltaBytesMin=1024,${LOG_LIMITS}` };
const STEP_MS = 50;
/** Longer than `flushIntervalMs` above. */
const QUIET_MS = 1000;
const WRITTEN_MS_MAX = 20_000;
/** Each leaves a table, and from the fourth on LevelDB compacts. */
const LIVES = 5;

export interface StoppedPairOptions {
  /** Where everything is kept. */
  readonly directory: string;
  readonly random: Prng;
}

export class StoppedPair {
  /** The node that is to be damaged. */
  readonly victim: ProcessNode;
  /** The other one, which lacks what the victim acknowledged last. */
  readonly other: ProcessNode;
  readonly #load: TokenLoad;
  readonly #kept: string;

  /** Makes a cluster, lets it work and fail, and stops it at a moment when the victim is needed. */
  static async make(options: StoppedPairOptions): Promise<StoppedPair> {
    const { directory, random } = options;
    const cluster = await ProcessCluster.start({
      ...{ directory, command: NODE_COMMAND },
      groups: 2,
      flags: FLAGS,
    });
    try {
      const first = random.below(3);
      const [victim, other] = [cluster.nodes[first]!, cluster.nodes[(first + 1) % 3]!];
      const load = await workAndFail(cluster, victim, other, random);
      await cluster.stop('SIGKILL');
      const pair = new StoppedPair(victim, other, load, join(directory, 'kept'));
      await pair.#keep();
      return pair;
    } finally {
      await cluster.stop('SIGKILL');
    }
  }

  private constructor(victim: ProcessNode, other: ProcessNode, load: TokenLoad, kept: string) {
    this.victim = victim;
    this.other = other;
    this.#load = load;
    this.#kept = kept;
  }

  get nodes(): readonly ProcessNode[] {
    return [this.victim, this.other];
  }

  /** Puts the files of both back as they were. */
  async restore(): Promise<void> {
    for (const node of this.nodes) {
      await rm(node.dataDir, { recursive: true, force: true });
      await cp(this.#keptOf(node), node.dataDir, { recursive: true });
    }
  }

  /** Both run: rejects unless they have all that was acknowledged, equal and in order, and nothing else. */
  check(): Promise<void> {
    return this.#load.check(this.nodes);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop('SIGKILL')));
  }

  async #keep(): Promise<void> {
    await mkdir(this.#kept);
    for (const node of this.nodes) await cp(node.dataDir, this.#keptOf(node), { recursive: true });
  }

  #keptOf(node: ProcessNode): string {
    return join(this.#kept, `node-${node.id}`);
  }
}

async function workAndFail(
  cluster: ProcessCluster,
  victim: ProcessNode,
  other: ProcessNode,
  random: Prng,
): Promise<TokenLoad> {
  const client = await connectAndDeploy(cluster.addresses, 'text');
  const load = new TokenLoad(client, { random, writers: 16, documents: 24 });
  try {
    for (let life = 0; life < LIVES; life++) {
      await load.progressed(150);
      await victim.stop('SIGKILL');
      await victim.start();
    }
    await load.progressed(150);
    // From now on nothing is acknowledged that the victim has not.
    other.signal('SIGSTOP');
    await load.progressed(200);
    await load.stop();
    await written(victim);
    return load;
  } finally {
    load.abandon();
    await client.close({ abandon: true });
  }
}

/**
 * Waits until a node has written nothing for longer than it may keep rows back. A batch that it has not acknowledged yet may
 * be lost, so there must be none: whatever is cut off its log was acknowledged.
 */
async function written(node: ProcessNode): Promise<void> {
  const witness = join(node.dataDir, 'acknowledged');
  let before = await readFile(witness);
  for (let quietMs = 0, waitedMs = 0; quietMs < QUIET_MS; quietMs += STEP_MS, waitedMs += STEP_MS) {
    if (waitedMs > WRITTEN_MS_MAX) throw new Error(`node ${node.id} does not stop writing`);
    await sleep(STEP_MS);
    const now = await readFile(witness);
    if (!now.equals(before)) quietMs = 0;
    before = now;
  }
}
