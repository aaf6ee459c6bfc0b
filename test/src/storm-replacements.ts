// A node of a cluster that is written to is replaced by a fresh one, as an operator does it.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { connect } from '@deltabase/client';
import type { ProcessCluster } from '@deltabase/testkit';
import type { TokenLoad } from './token-load.js';

export interface Replacement {
  /** Who went, and who came. */
  readonly old: number;
  readonly node: number;
  readonly tookMs: number;
  /** Groups that the new node got by a snapshot in several chunks. */
  readonly inChunks: number;
  /** The snapshots that it got, and the chunks of all of them. */
  readonly snapshots: number;
  readonly chunks: number;
}

/** What nodes are started with that are to be replaced: no log reaches back far enough for a fresh one. */
export const REPLACEMENT_LIMITS = [
  'flushIntervalMs=500',
  'trailingLogBytesMax=2048',
  'absentLogBytesMax=2048',
  'heldLogBytesMax=1048576',
  'snapshotChunkBytesMax=16384',
].join(',');

/** As a node logs it. */
interface Installed {
  readonly group: number;
  readonly chunks: number;
}

/** The exit code of a node that is told that it is removed. */
const REMOVED = 4;
const CHANGE_MS = 60_000;
/** Acknowledgements before a replacement, so that every group has more than its log keeps, and after it. */
const ACKNOWLEDGED_BEFORE = 2000;
const ACKNOWLEDGED_AFTER = 600;

/** Replaces the node that has been there longest. Rejects if anything is not as it must be. */
export async function replaceOldest(
  cluster: ProcessCluster,
  load: TokenLoad,
): Promise<Replacement> {
  const old = cluster.nodes[0]!;
  const id = Math.max(...cluster.nodes.map((one) => one.id)) + 1;
  await load.progressed(ACKNOWLEDGED_BEFORE);
  const { node, member } = await cluster.makeJoining(id);
  const installed: Installed[] = [];
  node.hear(/"snapshot-installed"/, (line) => installed.push(JSON.parse(line) as Installed));
  const client = await connect({ addresses: cluster.addresses });
  try {
    const begunMs = performance.now();
    const change = await client.members.replace(old.id, member);
    await node.start();
    load.readFrom(node);
    const { members } = await client.members.done(change, { deadlineMs: CHANGE_MS });
    const code = await old.exited;
    assert.equal(code, REMOVED, `node ${old.id} is not told: ${old.log.slice(-3).join('\n')}`);
    await load.progressed(ACKNOWLEDGED_AFTER);
    const tookMs = performance.now() - begunMs;
    await assert.rejects(old.start(), /was removed from the cluster/);
    cluster.forget(old);
    await rm(old.dataDir, { recursive: true });
    assert.deepEqual(
      members.map(({ node: one, role }) => [one, role]),
      cluster.nodes.map((one) => [one.id, 'voter']),
    );
    return {
      old: old.id,
      node: id,
      tookMs: Math.round(tookMs),
      inChunks: new Set(installed.filter(({ chunks }) => chunks > 1).map(({ group }) => group))
        .size,
      snapshots: installed.length,
      chunks: installed.reduce((sum, { chunks }) => sum + chunks, 0),
    };
  } finally {
    await client.close({ abandon: true });
  }
}
