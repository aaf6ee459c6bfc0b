import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MembersOrder, MembersResult } from '@deltabase/engine';
import {
  awaitChange,
  orderChange,
  orderTransfer,
  rolesIn,
  simulatedMember,
  type TokenClusterOptions,
} from '@deltabase/testkit';
import { add, startWritten } from '../support/written-cluster.js';

/** The cluster, and what its first node is told and knows of the members. */
function startCluster(options: Partial<TokenClusterOptions> = {}) {
  const started = startWritten(options);
  const { cluster } = started.tokens;
  const order = (what: MembersOrder): MembersResult => orderChange(cluster, what);
  const roles = () => rolesIn(cluster.engines()[0]!.members());
  return { order, roles, ...started };
}

type Started = ReturnType<typeof startCluster>;

function replace(old: number, node: number): MembersOrder {
  return { kind: 'replace', old, member: simulatedMember(node) };
}

/** The voters of every group as every node that runs has applied them. */
function votersOf({ tokens }: Started): number[][] {
  const all = tokens.cluster
    .engines()
    .flatMap((engine) => engine.status().groups.map(({ conf }) => JSON.stringify(conf.voters)));
  return [...new Set(all)].map((text) => JSON.parse(text) as number[]);
}

test('the members are known after the first moments, each with the incarnation it spoke under', () => {
  const { tokens, roles } = startCluster();
  tokens.run(3000);
  assert.deepEqual(roles(), [
    [1, 'voter'],
    [2, 'voter'],
    [3, 'voter'],
  ]);
  for (const engine of tokens.cluster.engines()) {
    const { clusterId, members } = engine.members();
    assert.match(clusterId, /^[0-9a-f]{16}$/);
    assert.equal(clusterId, tokens.cluster.engine(1).members().clusterId);
    for (const { node, incarnation, peerAddress } of members) {
      assert.equal(incarnation, tokens.cluster.engine(node).status().incarnation);
      assert.equal(peerAddress, simulatedMember(node).peerAddress);
    }
  }
});

test('a node is added as a learner, catches up while messages go on, and votes in every group', () => {
  const started = startCluster();
  const { tokens, write, order, roles, lines } = started;
  const result = order(add(4));
  assert.equal(result.kind, 'begun');
  tokens.run(1000);
  assert.deepEqual(roles().at(-1), [4, 'learner'], 'it is not there yet');
  assert.deepEqual(votersOf(started), [[1, 2, 3]]);
  tokens.cluster.joinNode(4);
  for (let count = 0; count < 20; count++) {
    write();
    tokens.run(100);
  }
  awaitChange(tokens.cluster, result);
  assert.deepEqual(roles().at(-1), [4, 'voter']);
  assert.deepEqual(votersOf(started), [[1, 2, 3, 4]]);
  const steps = lines.filter((line) => line.includes('configuration-step'));
  assert.equal(steps.filter((line) => line.includes('addLearner 4')).length, 4);
  assert.equal(steps.filter((line) => line.includes('addVoter 4')).length, 4);
  tokens.check();
});

test('a node that goes through earlier states of the members tells nobody of later ones that it is removed', () => {
  // Each entry is a turn of its own.
  const { tokens, order } = startCluster({ limits: { appendBytesMax: 1, inflightAppendsMax: 1 } });
  const { cluster } = tokens;
  for (const node of [4, 5]) {
    const result = order(add(node));
    cluster.joinNode(node);
    awaitChange(cluster, result);
  }
  cluster.crash(1);
  tokens.run(1000);
  cluster.startNode(1);
  tokens.run(3000);
  assert.deepEqual(cluster.ids, [1, 2, 3, 4, 5]);
  tokens.check();
});

test('a node joins by a snapshot where the log does not reach back', () => {
  const limits = { flushIntervalMs: 300, trailingLogBytesMax: 1, heldLogBytesMax: 1 };
  const started = startCluster({ limits });
  const { tokens, write, order } = started;
  for (let count = 0; count < 10; count++) {
    write();
    tokens.run(500);
  }
  const { groups } = tokens.cluster.engine(1).status();
  assert.ok(groups.every(({ firstIndex }) => firstIndex > 1));
  const result = order(add(4));
  tokens.cluster.joinNode(4);
  awaitChange(tokens.cluster, result);
  assert.deepEqual(votersOf(started), [[1, 2, 3, 4]]);
  tokens.check();
});

test('a learner stays one until it is promoted, and is not while it lags', () => {
  const started = startCluster();
  const { tokens, write, order, roles } = started;
  const added = order(add(4, false));
  awaitChange(tokens.cluster, added);
  assert.deepEqual(roles().at(-1), [4, 'learner']);
  const lagging = order({ kind: 'promote', node: 4 });
  assert.ok(lagging.kind === 'failed' && lagging.code === 'MEMBERS_REFUSED');
  assert.match(lagging.message, /has not caught up in 4 of 4 groups/);
  tokens.cluster.joinNode(4);
  write();
  tokens.run(5000);
  tokens.cluster.pause(4);
  tokens.run(4000);
  const paused = order({ kind: 'promote', node: 4 });
  assert.ok(paused.kind === 'failed' && /has not caught up/.test(paused.message));
  tokens.cluster.resume(4);
  tokens.run(3000);
  const promoted = order({ kind: 'promote', node: 4 });
  awaitChange(tokens.cluster, promoted);
  assert.deepEqual(votersOf(started), [[1, 2, 3, 4]]);
  tokens.check();
});

test('a node is removed, whatever it leads: it hands over, is told, and does not start again', () => {
  for (const leads of ['nothing', 'everything'] as const) {
    const started = startCluster();
    const { tokens, write, order, roles, lines } = started;
    const { cluster } = tokens;
    const gone = leads === 'everything' ? 1 : 3;
    for (const group of [0, 1, 2, 3]) {
      assert.equal(orderTransfer(cluster, group, 1).kind, 'transferred');
    }
    const result = order({ kind: 'remove', node: gone });
    write();
    tokens.until(() => cluster.expulsionOf(gone) !== undefined);
    awaitChange(cluster, result);
    assert.deepEqual(
      roles().map(([node]) => node),
      [1, 2, 3].filter((node) => node !== gone),
    );
    assert.match(cluster.expulsionOf(gone)!.message, /node \d was removed from the cluster/);
    assert.deepEqual(votersOf(started), [[1, 2, 3].filter((node) => node !== gone)]);
    const handed = lines.filter((line) => line.includes('hand over'));
    assert.equal(handed.length > 0, gone === 1);
    cluster.startNode(gone);
    assert.throws(() => tokens.run(100), { code: 'NODE_REMOVED' });
    tokens.check();
  }
});

test('a node that was away when it was removed is told when it comes back', () => {
  const { tokens, order } = startCluster();
  const { cluster } = tokens;
  cluster.crash(3);
  tokens.run(1000);
  awaitChange(cluster, order({ kind: 'remove', node: 3 }));
  cluster.startNode(3);
  tokens.until(() => cluster.expulsionOf(3) !== undefined, 10_000);
  assert.equal(cluster.expulsionOf(3)!.code, 'NODE_REMOVED');
  tokens.check();
});

test('a node is replaced, alive or dead, by one joint configuration in each group', () => {
  for (const is of ['alive', 'dead'] as const) {
    const started = startCluster();
    const { tokens, write, order, roles, lines } = started;
    const { cluster } = tokens;
    if (is === 'dead') cluster.crash(2);
    tokens.run(2000);
    const result = order(replace(2, 4));
    cluster.joinNode(4);
    write();
    awaitChange(cluster, result);
    assert.deepEqual(roles(), [
      [1, 'voter'],
      [3, 'voter'],
      [4, 'voter'],
    ]);
    assert.deepEqual(votersOf(started), [[1, 3, 4]]);
    const joint = lines.filter((line) => line.includes('addVoter 4, remove 2'));
    assert.equal(joint.length, 4, 'one joint configuration in each group');
    tokens.check();
    assert.deepEqual(cluster.ids, [1, 3, 4]);
  }
});

test('all nodes of a cluster are replaced one after the other, and an only one is', () => {
  for (const nodes of [3, 1]) {
    const started = startCluster({ nodes });
    const { tokens, write, order } = started;
    const { cluster } = tokens;
    for (let old = 1; old <= nodes; old++) {
      const result = order(replace(old, nodes + old));
      cluster.joinNode(nodes + old);
      write();
      awaitChange(cluster, result);
      tokens.until(() => cluster.expulsionOf(old) !== undefined);
    }
    assert.deepEqual(
      cluster.ids,
      Array.from({ length: nodes }, (_, at) => nodes + 1 + at),
    );
    assert.deepEqual(votersOf(started), [cluster.ids]);
    write();
    tokens.check();
  }
});

test('a node that was away while all others were replaced finds those that are there now', () => {
  const { tokens, write, order } = startCluster({ nodes: 5, groups: 1 });
  const { cluster } = tokens;
  tokens.run(6000);
  cluster.crash(5);
  for (const old of [1, 2, 3, 4]) {
    const result = order(replace(old, 5 + old));
    cluster.joinNode(5 + old);
    awaitChange(cluster, result);
  }
  write();
  tokens.settle();
  cluster.startNode(5);
  tokens.check();
  assert.deepEqual(cluster.ids, [5, 6, 7, 8, 9]);
});

/** What is refused, and what the refusal says. */
const REFUSED: ReadonlyArray<readonly [MembersOrder, string, RegExp]> = [
  [{ kind: 'remove', node: 9 }, 'NODE_NOT_FOUND', /no node 9: deltabase cluster members/],
  [{ kind: 'promote', node: 9 }, 'NODE_NOT_FOUND', /no node 9/],
  [replace(9, 10), 'NODE_NOT_FOUND', /no node 9/],
  [{ kind: 'promote', node: 2 }, 'MEMBERS_REFUSED', /is a voter already/],
  [add(2), 'MEMBERS_REFUSED', /is a member already/],
  [replace(2, 3), 'MEMBERS_REFUSED', /node 3 is a member already/],
  [add(70_000), 'INVALID_ARGUMENT', /from 4 to 65535/],
  [
    { kind: 'add', member: { ...simulatedMember(4), peerAddress: 'peer-2:1' }, promote: true },
    'MEMBERS_REFUSED',
    /node 2 is at that address/,
  ],
];

test('what would be wrong is refused, with what to do', () => {
  const { tokens, order, roles } = startCluster();
  for (const [what, code, says] of REFUSED) {
    const result = order(what);
    assert.ok(result.kind === 'failed', JSON.stringify(what));
    assert.deepEqual([result.code, says.test(result.message)], [code, true], result.message);
  }
  assert.equal(roles().length, 3);
  assert.equal(tokens.cluster.engine(1).members().changes, 0);
});

test('a removal that would leave no reachable majority is refused', () => {
  const { tokens, order } = startCluster();
  tokens.cluster.crash(3);
  tokens.run(1000);
  const result = order({ kind: 'remove', node: 2 });
  assert.ok(result.kind === 'failed' && result.code === 'MEMBERS_REFUSED');
  assert.match(result.message, /without node 2 only 1 of 2 voters .* bring node 3 back/);
  awaitChange(tokens.cluster, order({ kind: 'remove', node: 3 }));
  awaitChange(tokens.cluster, order({ kind: 'remove', node: 2 }));
  tokens.until(() => tokens.cluster.expulsionOf(2) !== undefined);
  const last = order({ kind: 'remove', node: 1 });
  assert.ok(last.kind === 'failed' && /node 1 is the last voter/.test(last.message));
  tokens.check();
});

test('one change is made at a time; asked for again it is answered again; ids are not used again', () => {
  const { tokens, order } = startCluster();
  const { cluster } = tokens;
  const first = order(add(4));
  const again = order(add(4));
  assert.deepEqual(first, again);
  const second = order({ kind: 'remove', node: 3 });
  assert.ok(second.kind === 'failed' && second.code === 'MEMBERS_REFUSED');
  assert.match(second.message, /node 4 is being added.*undo it with deltabase cluster remove 4/);
  awaitChange(cluster, order({ kind: 'remove', node: 4 }));
  const reused = order(add(4));
  assert.ok(reused.kind === 'failed');
  assert.match(reused.message, /those up to 4 have been: use 5 or a higher one/);
  assert.equal(order(add(5)).kind, 'begun');
});

test('a change whose new node never comes, or is lost, is undone by its removal', () => {
  for (const is of ['never there', 'lost'] as const) {
    const started = startCluster();
    const { tokens, order, roles, write } = started;
    const { cluster } = tokens;
    order(replace(2, 4));
    if (is === 'lost') {
      cluster.joinNode(4);
      tokens.until(() => cluster.isUp(4));
      tokens.run(100);
      cluster.crash(4);
    }
    tokens.run(3000);
    write();
    const undone = order({ kind: 'remove', node: 4 });
    tokens.until(() => cluster.engine(1).members().change === undefined);
    assert.equal(undone.kind, 'begun');
    assert.deepEqual(
      roles().map(([node]) => node),
      [1, 2, 3],
    );
    if (is === 'lost') {
      cluster.startNode(4);
      tokens.until(() => cluster.expulsionOf(4) !== undefined);
    }
    tokens.check();
    assert.deepEqual(votersOf(started), [[1, 2, 3]]);
  }
});

test('a replacement that some groups are through with is turned round when its new node is lost', () => {
  const started = startCluster();
  const { tokens, order, roles, write } = started;
  const { cluster } = tokens;
  order(replace(2, 4));
  cluster.joinNode(4);
  write();
  tokens.until(() => votersOf(started).some((voters) => String(voters) === '1,3,4'));
  assert.equal(cluster.engine(1).members().change?.phase, 'changing');
  cluster.crash(4);
  const undone = order({ kind: 'remove', node: 4 });
  write();
  awaitChange(cluster, undone);
  assert.deepEqual(
    roles(),
    [1, 2, 3].map((node) => [node, 'voter']),
  );
  assert.deepEqual(votersOf(started), [[1, 2, 3]]);
  cluster.startNode(4);
  tokens.until(() => cluster.expulsionOf(4) !== undefined);
  tokens.check();
});

test('a removal is undone while some groups have still to make it', () => {
  const started = startCluster();
  const { tokens, order, write } = started;
  const { cluster } = tokens;
  order({ kind: 'remove', node: 3 });
  tokens.until(() => votersOf(started).some((voters) => String(voters) === '1,2'));
  const undone = order({ kind: 'promote', node: 3 });
  write();
  awaitChange(cluster, undone);
  assert.deepEqual(votersOf(started), [[1, 2, 3]]);
  assert.equal(cluster.expulsionOf(3), undefined);
  tokens.check();
});

test('a group stays where an operator has handed it, until that is taken back', () => {
  const { tokens } = startCluster();
  const { cluster } = tokens;
  tokens.run(20_000);
  const before = cluster.engine(1).leaders()[2]!;
  const to = cluster.ids.find((id) => id !== before)!;
  const result = orderTransfer(cluster, 2, to);
  assert.deepEqual(result, { kind: 'transferred', lead: to });
  tokens.run(30_000);
  assert.equal(cluster.engine(1).leaders()[2], to);
  assert.equal(orderTransfer(cluster, 2, undefined).kind, 'transferred');
  tokens.run(120_000);
  assert.equal(cluster.engine(1).leaders()[2], before);
  const nowhere = orderTransfer(cluster, 2, 9);
  assert.ok(nowhere.kind === 'failed' && nowhere.code === 'NODE_NOT_FOUND');
  const none = orderTransfer(cluster, 9, 1);
  assert.ok(none.kind === 'failed' && /groups are 0 to 3/.test(none.message));
  tokens.check();
});
