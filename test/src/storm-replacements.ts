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
  /** The longest time without an acknowledgement meanwhile. */
  readonly gapMs: number;
}

/** The exit code of a node that is told that it is removed. */
const REMOVED = 4;
const CHANGE_MS = 60_000;
/** Acknowledgements after a replacement, that belong to it: a step is over when work goes on. */
const ACKNOWLEDGED_AFTER = 600;

/** Replaces the node that has been there longest. Rejects if anything is not as it must be. */
export async function replaceOldest(
  cluster: ProcessCluster,
  load: TokenLoad,
): Promise<Replacement> {
  const old = cluster.nodes[0]!;
  const id = Math.max(...cluster.nodes.map((one) => one.id)) + 1;
  const { node, member } = await cluster.makeJoining(id);
  const client = await connect({ addresses: cluster.addresses });
  try {
    const begunMs = performance.now();
    load.beginStep();
    const change = await client.members.replace(old.id, member);
    await node.start();
    const { members } = await client.members.done(change, { deadlineMs: CHANGE_MS });
    assert.equal(await old.exited, REMOVED, `node ${old.id} is told, and ends`);
    await load.progressed(ACKNOWLEDGED_AFTER);
    const times = { tookMs: performance.now() - begunMs, gapMs: load.stepGapMs };
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
      tookMs: Math.round(times.tookMs),
      gapMs: Math.round(times.gapMs),
    };
  } finally {
    await client.close({ abandon: true });
  }
}
