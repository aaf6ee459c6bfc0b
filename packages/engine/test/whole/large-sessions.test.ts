// Sessions with many bytes of answers that their clients have not settled: they are bounded, and no bar to
// snapshots.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8, type Limits } from '@deltabase/base';
import { fromJson } from '@deltabase/delta';
import type { DeployResult, NodeId, Result } from '@deltabase/engine';
import { Cluster, makeScriptMachines } from '@deltabase/testkit';

const KIB = 1024;
const SESSION_ROW = 0x53;

/** Logs are kept for nobody, and frames are hardly larger than a chunk of a snapshot. */
const LIMITS: Partial<Limits> = {
  flushIntervalMs: 50,
  trailingLogBytesMax: 0,
  heldLogBytesMax: 0,
  entryBytesMax: 100 * KIB,
  frameBytesMax: 100 * KIB,
  patchBytesMax: 100 * KIB,
  payloadBytesMax: 1 * KIB,
  chunkBytesMax: 100 * KIB,
  snapshotChunkBytesMax: 200 * KIB,
  appendBytesMax: 300 * KIB,
  peerFrameBytesMax: 1024 * KIB,
};

function machines() {
  const echo = {
    channels: ['echo'],
    run({ payload, draft }: { payload: unknown; draft: import('@deltabase/delta').Draft }) {
      draft.emit({ op: 'add', path: '', value: fromJson(1) });
      return 'x'.repeat(Number(payload));
    },
  };
  return makeScriptMachines({ echo });
}

function startCluster(limits: Partial<Limits>): Cluster {
  const cluster = new Cluster({ seed: 1, nodes: 3, groups: 1, machines, limits });
  cluster.start();
  let result: DeployResult | undefined;
  const expiresMs = cluster.simulation.nowMs + 20_000;
  const module = encodeUtf8('echo');
  const request = { space: 'echo', module, expectedVersion: undefined, principal: 'p', expiresMs };
  cluster.engine(1).deploy(request, (deployed) => {
    result = deployed;
  });
  cluster.simulation.runUntil(() => result !== undefined);
  assert.equal(result!.kind, 'deployed');
  return cluster;
}

/** Sends message `number`, whose reply has `bytes`, to the leader; gives its code, or `accepted`. */
function send(cluster: Cluster, number: number, bytes: number, settled = 1): string {
  const got: Result[] = [];
  const sink = { answer: (_tag: number, result: Result) => void got.push(result), flush() {} };
  const session = { name: 'large', openedAt: 1_700_000_000_000, settled };
  const names = { space: 'echo', key: 'd', channel: 'echo', principal: 'p' };
  const message = { ...names, payload: encodeUtf8(String(bytes)), session, number, after: 0 };
  cluster.awaitLeaders();
  const leader = cluster.engines()[0]!.leaderOf('echo', 'd');
  const expiresMs = cluster.simulation.nowMs + 10_000;
  cluster.engine(leader).submit([{ message, sink, tag: 0, expiresMs }]);
  cluster.simulation.runUntil(() => got.length > 0);
  return got[0]!.kind === 'failed' ? got[0]!.code : 'accepted';
}

/** Bytes of the rows that hold sessions on a node, of each row. */
function sessionRows(cluster: Cluster, id: NodeId): number[] {
  const rows = cluster.rows(id).rows();
  const isSession = (key: Uint8Array): boolean => key[0] === 0x52 && key[9] === SESSION_ROW;
  return rows.filter(({ key }) => isSession(key)).map(({ value }) => value.length);
}

test('a session larger than a frame is part of a snapshot, row by row', () => {
  const cluster = startCluster(LIMITS);
  cluster.awaitLeaders();
  const leader = cluster.engine(1).leaderOf('echo', 'd');
  const away = cluster.ids.find((id) => id !== leader)!;
  cluster.crash(away);
  for (let number = 1; number <= 25; number++) {
    assert.equal(send(cluster, number, 200 * KIB), 'accepted');
  }
  cluster.simulation.runFor(500);
  assert.deepEqual(sessionRows(cluster, away), []);
  cluster.startNode(away);
  const total = (sizes: number[]): number => sizes.reduce((sum, bytes) => sum + bytes, 0);
  cluster.simulation.runUntil(() => total(sessionRows(cluster, away)) >= 25 * 200 * KIB, 30_000);
  for (const bytes of sessionRows(cluster, away)) {
    assert.ok(bytes < 512 * KIB, `a row of ${bytes} bytes`);
  }
});

test('a session that holds too many bytes gets no more until it settles some', () => {
  const cluster = startCluster({ sessionBytesMax: 500 * KIB });
  for (const number of [1, 2, 3]) assert.equal(send(cluster, number, 200 * KIB), 'accepted');
  assert.equal(send(cluster, 4, 10), 'OVERLOADED');
  assert.equal(send(cluster, 4, 10, 4), 'accepted');
  assert.equal(send(cluster, 5, 200 * KIB, 4), 'accepted');
});
