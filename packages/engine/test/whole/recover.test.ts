// A cluster that has lost its quorum for good goes on from what is left.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  awaitChange,
  Cluster,
  makeTokenMachines,
  orderChange,
  rolesIn,
  simulatedMember,
  type TokenClusterOptions,
} from '@deltabase/testkit';
import { emptyParts, encodeFrame } from '../../src/peers/frame.js';
import { RECOVERED_AT, recoverNode } from '../support/recover.js';
import { add, KEYS, startWritten } from '../support/written-cluster.js';

/** A cluster that has had time to learn of its members. */
function startTokens(options: Partial<TokenClusterOptions> = {}) {
  const started = startWritten(options);
  started.tokens.run(1000);
  return { cluster: started.tokens.cluster, ...started };
}

/** A cluster without the checkers that know of no recovery: what was committed changes under their eyes. */
function startBare({ nodes = 3, groups = 3 } = {}) {
  const lines: string[] = [];
  const cluster = new Cluster({
    ...{ seed: 1, nodes, groups, machines: () => makeTokenMachines() },
    trace: (line) => void lines.push(line),
  });
  cluster.start();
  cluster.simulation.runFor(3000);
  return { cluster, lines };
}

test('the survivor of three goes on alone with all that it had, and grows to three again', () => {
  const { tokens, write, cluster, lines } = startTokens();
  const before = cluster.engine(1).members().clusterId;
  for (const id of [1, 2, 3]) cluster.crash(id);
  const { plan, recovery } = recoverNode(cluster, [1]);
  tokens.confs.recovered(1);
  assert.deepEqual(plan.givenUp, [2, 3]);
  for (const id of plan.givenUp) tokens.lost.add(id);
  cluster.startNode(1);
  tokens.until(() => cluster.isUp(1));
  write();
  tokens.settle();
  tokens.until(() => cluster.engine(1).members().members.length > 0);
  const report = cluster.engine(1).members();
  assert.equal(report.clusterId, recovery.clusterId);
  assert.notEqual(report.clusterId, before);
  assert.deepEqual(rolesIn(report), [[1, 'voter']]);
  assert.deepEqual(report.recoveries, [
    { formerId: before, node: 1, takenFrom: [], givenUp: [2, 3], timeMs: RECOVERED_AT },
  ]);
  assert.ok(lines.some((line) => /n1 warn recovered .*"givenUp":"2, 3"/.test(line)));
  for (const node of [4, 5]) {
    const result = orderChange(cluster, add(node));
    cluster.joinNode(node, 1);
    write();
    awaitChange(cluster, result);
  }
  const voters = cluster.engines().flatMap((engine) => engine.status().groups);
  for (const { conf } of voters) assert.deepEqual(conf.voters, [1, 4, 5]);
  // The new ones carry the cluster without the one it was recovered from, and know of the recovery.
  tokens.run(3000);
  cluster.crash(1);
  write();
  tokens.settle();
  assert.equal(cluster.engine(4).members().recoveries.length, 1);
  tokens.check();
});

test('ids of before are never used again', () => {
  const { tokens, cluster } = startTokens();
  for (const id of [1, 2, 3]) cluster.crash(id);
  recoverNode(cluster, [1]);
  tokens.confs.recovered(1);
  cluster.startNode(1);
  cluster.simulation.runUntil(() => cluster.isUp(1) && cluster.engine(1).members().highestNode > 0);
  const again = orderChange(cluster, add(3));
  assert.ok(again.kind === 'failed' && /ids are never used again/.test(again.message));
});

test('a node of before that comes back is refused, told why, and does not start again', () => {
  const { cluster, lines } = startBare();
  for (const id of [1, 2, 3]) cluster.crash(id);
  recoverNode(cluster, [1]);
  cluster.startNode(1);
  cluster.simulation.runUntil(
    () => cluster.isUp(1) && cluster.engine(1).members().recoveries.length === 1,
  );
  cluster.startNode(3);
  cluster.simulation.runUntil(() => cluster.expulsionOf(3) !== undefined, 10_000);
  assert.equal(cluster.expulsionOf(3)!.code, 'NODE_REMOVED');
  assert.match(cluster.expulsionOf(3)!.message, /recovered without this data directory/);
  assert.ok(lines.some((line) => /n1 error peer-refused .*as it was before it was rec/.test(line)));
  assert.deepEqual(rolesIn(cluster.engine(1).members()), [[1, 'voter']]);
  cluster.startNode(3);
  assert.throws(() => cluster.simulation.runFor(100), { code: 'NODE_REMOVED' });
});

test('what a recovered cluster says counts only for the cluster that it was', () => {
  const { cluster } = startBare();
  for (const id of [1, 2]) cluster.crash(id);
  cluster.simulation.runFor(5000);
  const { clusterId } = cluster.engine(3).members();
  const header = { cluster: 'sim', groups: 3, founders: 1, incarnation: 1 };
  const presence = { life: 1, abstains: false, isWatched: false, wallMs: 1 };
  const tell = (of: string): void => {
    const notice = { expulsion: 'left-behind', clusterId: of } as const;
    const from = { ...header, clusterId: 'new' };
    cluster.inject(1, 3, 'urgent', encodeFrame(from, { ...presence, notice }, emptyParts()));
    cluster.simulation.runFor(1000);
  };
  tell('another');
  assert.equal(cluster.expulsionOf(3), undefined);
  tell(clusterId);
  assert.match(cluster.expulsionOf(3)!.message, /recovered without this data directory/);
});

test('a quorum that was not lost at all does not obey: it serves on', () => {
  const { cluster, lines } = startBare();
  cluster.crash(1);
  cluster.simulation.runFor(3000);
  recoverNode(cluster, [1]);
  cluster.startNode(1);
  cluster.simulation.runFor(10_000);
  assert.equal(cluster.engine(1).members().recoveries.length, 1);
  for (const id of [2, 3]) {
    assert.equal(cluster.expulsionOf(id), undefined);
    assert.ok(cluster.isUp(id));
    assert.ok(
      cluster
        .engine(id)
        .leaders()
        .every((lead) => lead === 2 || lead === 3),
    );
    const refused = lines.filter((line) => line.includes(`n${id} error peer-refused`));
    assert.match(refused[0] ?? '', /another cluster of this name.*recovered/);
  }
});

test('each group is taken from the survivor that has most of it, by its rows if the log does not reach back', () => {
  const limits = { flushIntervalMs: 300, trailingLogBytesMax: 1, heldLogBytesMax: 1 };
  const { tokens, write, cluster } = startTokens({ nodes: 5, limits });
  // Node 1 misses what the others go on with and flush.
  cluster.crash(1);
  for (let count = 0; count < 5; count++) {
    write();
    tokens.run(1000);
  }
  tokens.settle();
  tokens.run(2000);
  const { groups } = cluster.engine(2).status();
  assert.ok(groups.slice(1).every(({ firstIndex }) => firstIndex > 1));
  for (const id of [2, 3, 4, 5]) cluster.crash(id);
  const { plan, recovery } = recoverNode(cluster, [1, 2]);
  tokens.confs.recovered(1);
  assert.deepEqual(plan.givenUp, [3, 4, 5]);
  assert.deepEqual(recovery.takenFrom, [2]);
  assert.ok(plan.groups.slice(1).every(({ from }) => from === 2));
  for (const id of [2, 3, 4, 5]) tokens.lost.add(id);
  cluster.startNode(1);
  tokens.until(() => cluster.isUp(1));
  write();
  tokens.settle();
  for (const key of KEYS) assert.equal(tokens.valueAt(1, key).seq, 7, key);
  tokens.check();
});

test('a change of members that was under way is forgotten, in the document and in the logs', () => {
  const { cluster } = startBare();
  const result = orderChange(cluster, {
    kind: 'replace',
    old: 3,
    member: simulatedMember(4),
  });
  assert.equal(result.kind, 'begun');
  // Every group has node 4 as a learner by now; the node itself never comes.
  cluster.simulation.runUntil(() =>
    cluster
      .engine(1)
      .status()
      .groups.every(({ conf }) => conf.learners.includes(4)),
  );
  for (const id of [1, 2, 3]) cluster.crash(id);
  const { plan } = recoverNode(cluster, [1]);
  assert.deepEqual(plan.givenUp, [2, 3, 4]);
  cluster.startNode(1);
  cluster.simulation.runUntil(
    () => cluster.isUp(1) && cluster.engine(1).members().recoveries.length === 1,
  );
  const report = cluster.engine(1).members();
  assert.equal(report.change, undefined);
  assert.equal(report.highestNode, 4);
  for (const { conf } of cluster.engine(1).status().groups) {
    assert.deepEqual([conf.voters, conf.learners], [[1], []]);
  }
  // A log that a node which joins gets from its beginning makes the same configuration.
  const joined = orderChange(cluster, add(5));
  cluster.joinNode(5, 1);
  awaitChange(cluster, joined);
  for (const { conf } of cluster.engine(5).status().groups) assert.deepEqual(conf.voters, [1, 5]);
});

test('a cluster is recovered more than once, and remembers', () => {
  const { cluster } = startBare();
  const isFounded = (id: number, times: number) => (): boolean =>
    cluster.isUp(id) && cluster.engine(id).members().recoveries.length === times;
  for (const id of [1, 2, 3]) cluster.crash(id);
  recoverNode(cluster, [1]);
  cluster.startNode(1);
  cluster.simulation.runUntil(isFounded(1, 1));
  const result = orderChange(cluster, add(4));
  cluster.joinNode(4, 1);
  awaitChange(cluster, result);
  cluster.simulation.runFor(3000);
  for (const id of [1, 4]) cluster.crash(id);
  const { plan } = recoverNode(cluster, [1]);
  assert.deepEqual(plan.givenUp, [4]);
  cluster.startNode(1);
  cluster.simulation.runUntil(isFounded(1, 2));
  const { recoveries } = cluster.engine(1).members();
  assert.deepEqual(
    recoveries.map(({ node, givenUp }) => [node, givenUp]),
    [
      [1, [2, 3]],
      [1, [4]],
    ],
  );
  // Of before the first recovery, and of before the second.
  for (const id of [2, 4]) {
    cluster.startNode(id);
    cluster.simulation.runUntil(() => cluster.expulsionOf(id) !== undefined, 10_000);
  }
});
