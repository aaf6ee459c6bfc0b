// Where nodes are, by their own word, and where an operator wants leaders to be.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@deltabase/base';
import type { Member, NodeId } from '@deltabase/engine';
import {
  awaitChange,
  orderChange,
  orderTransfer,
  simulatedMember,
  TOKENS,
  TokenCluster,
} from '@deltabase/testkit';

function startCluster(groups = 3) {
  const lines: string[] = [];
  const trace = (line: string): void => void lines.push(line);
  const tokens = new TokenCluster({ seed: 1, groups, trace }).start();
  tokens.run(3000);
  return { tokens, cluster: tokens.cluster, lines };
}

/** Where every node that runs says that `node` is. */
function placesOf(
  { cluster }: ReturnType<typeof startCluster>,
  node: NodeId,
): (Member | undefined)[] {
  return cluster.engines().map((engine) => {
    const { node: _, ...place } = engine.placeOf(node) ?? {};
    return place as Member | undefined;
  });
}

test('a node that has moved says so, and all know it, after their next start too', () => {
  const started = startCluster();
  const { tokens, cluster } = started;
  const { node, ...moved } = { ...simulatedMember(2), clientAddress: 'elsewhere:7' };
  cluster.engine(node).announce({ node, ...moved });
  tokens.run(3000);
  assert.deepEqual(placesOf(started, 2), [moved, moved, moved]);
  const [, second] = cluster.engine(1).members().members;
  assert.equal(second!.clientAddress, 'elsewhere:7');
  cluster.crash(3);
  cluster.startNode(3, [3]);
  tokens.until(() => cluster.isUp(3));
  assert.deepEqual(cluster.engine(3).placeOf(2), { node: 2, ...moved });
  tokens.check();
});

test('a node that says where it always was changes nothing', () => {
  const { tokens, cluster, lines } = startCluster();
  for (const id of cluster.ids) cluster.engine(id).announce(simulatedMember(id));
  tokens.run(3000);
  assert.deepEqual(
    lines.filter((line) => /members-(said|unsaid) .*move/.test(line)),
    [],
  );
});

test('a node that says to be where another one is is not believed, now and then', () => {
  const started = startCluster();
  const { tokens, cluster, lines } = started;
  const { clientAddress } = simulatedMember(1);
  cluster.engine(2).announce({ ...simulatedMember(2), clientAddress });
  tokens.run(5000);
  const unsaid = lines.filter((line) => line.includes('n2 warn members-unsaid'));
  assert.match(unsaid[0] ?? '', /"move".*node 1 is at that address: give node 2 its own/);
  assert.ok(unsaid.length <= 6, 'once a second at most');
  assert.equal(cluster.engine(1).placeOf(2)!.clientAddress, simulatedMember(2).clientAddress);
});

test('a node moves while it leads everything, and while the system group has no leader', () => {
  const started = startCluster();
  const { tokens, cluster } = started;
  for (const group of [0, 1, 2, 3]) {
    assert.deepEqual(orderTransfer(cluster, group, 2), { kind: 'transferred', lead: 2 });
  }
  cluster.engine(2).announce({ ...simulatedMember(2), clientAddress: 'elsewhere:7' });
  tokens.run(2000);
  assert.equal(cluster.engine(3).placeOf(2)!.clientAddress, 'elsewhere:7');
  cluster.crash(2);
  cluster.engine(3).announce({ ...simulatedMember(3), clientAddress: 'elsewhere:8' });
  tokens.run(8000);
  assert.equal(cluster.engine(1).placeOf(3)!.clientAddress, 'elsewhere:8');
});

test('a group is handed to each node in turn, also by who does not lead it, and back to itself', () => {
  const { tokens, cluster } = startCluster(1);
  const client = tokens.client('c');
  for (const to of [3, 1, 2, 2]) {
    client.send('a', 'append');
    assert.deepEqual(orderTransfer(cluster, 1, to), { kind: 'transferred', lead: to });
    assert.equal(cluster.engine(to).leaders()[1], to);
  }
  tokens.settle();
  assert.equal(cluster.engine(1).members().leaders.get(1), 2);
  tokens.check();
});

test('a group is not handed to a node that is away: it goes there when that is back', () => {
  const { tokens, cluster } = startCluster();
  cluster.crash(3);
  tokens.run(2000);
  const late = orderTransfer(cluster, 1, 3);
  assert.ok(late.kind === 'failed' && late.code === 'DEADLINE_EXCEEDED');
  assert.match(late.message, /it will when it can be reached and has caught up/);
  assert.notEqual(cluster.engine(1).leaders()[1], 3);
  cluster.startNode(3);
  tokens.until(() => cluster.isUp(3) && cluster.engine(1).leaders()[1] === 3);
  tokens.check();
});

test('a learner is not made a leader, and the word of an operator ends with the node it names', () => {
  const { tokens, cluster } = startCluster();
  const added = orderChange(cluster, { kind: 'add', member: simulatedMember(4), promote: false });
  cluster.joinNode(4);
  awaitChange(cluster, added);
  const learner = orderTransfer(cluster, 1, 4);
  assert.ok(learner.kind === 'failed' && learner.code === 'MEMBERS_REFUSED');
  assert.match(learner.message, /does not vote, so it cannot lead/);
  assert.equal(orderTransfer(cluster, 1, 3).kind, 'transferred');
  awaitChange(cluster, orderChange(cluster, { kind: 'remove', node: 3 }));
  assert.equal(cluster.engine(1).members().leaders.size, 0);
  assert.notEqual(cluster.engine(1).leaders()[1], 3);
  tokens.check();
});

test('a transfer under load costs a few round trips, and waits for no tick', () => {
  const { tokens, cluster } = startCluster(1);
  const tickMs = cluster.engine(1).config.timing.tickMs;
  let lastMs = cluster.simulation.nowMs;
  let longestMs = 0;
  const sink = {
    answer(_tag: number, { kind }: { readonly kind: string }): void {
      if (kind !== 'accepted') return;
      longestMs = Math.max(longestMs, cluster.simulation.nowMs - lastMs);
      lastMs = cluster.simulation.nowMs;
    },
    flush() {},
  };
  const session = { name: '', openedAt: 0, settled: 0 };
  for (let n = 0; n < 120; n++) {
    const token = `unsent-${n}`;
    const payload = encodeUtf8(JSON.stringify({ token }));
    const names = { space: TOKENS, key: 'other', channel: 'append', principal: 'tests' };
    const message = { ...names, payload, session, number: 0, after: 0 };
    cluster.simulation.schedule(5 * n, () => {
      const id = 1 + (n % 3);
      const expiresMs = cluster.monotonicMs(id) + 5000;
      cluster.engine(id).submit([{ message, sink, tag: n, expiresMs }]);
    });
  }
  tokens.run(100);
  longestMs = 0;
  const to = 1 + (cluster.engine(1).leaders()[1]! % 3);
  assert.deepEqual(orderTransfer(cluster, 1, to), { kind: 'transferred', lead: to });
  tokens.run(300);
  assert.ok(longestMs > 0 && longestMs < tickMs, `${longestMs} ms without an answer`);
});

test('a node whose disk has lost something leads nothing, whichever group it was of', () => {
  const tokens = new TokenCluster({ seed: 11, groups: 4, storage: 'level' }).start();
  const { cluster } = tokens;
  tokens.run(2000);
  const roles = (): string[] =>
    cluster
      .engine(3)
      .positions()
      .map(({ role }) => role);
  tokens.until(() => roles().includes('leader'));
  const { files } = cluster.storage(3);
  const image = files.image();
  const client = tokens.client('a');
  for (let at = 0; at < 5; at++) client.send('one', 'append');
  tokens.settle();
  tokens.run(1000);
  cluster.crash(3);
  files.restore(image);
  cluster.replaced(3);
  cluster.startNode(3);
  tokens.until(
    () =>
      cluster.isUp(3) &&
      cluster
        .engine(3)
        .positions()
        .some((it) => it.damaged),
  );
  const whole = cluster
    .engine(3)
    .positions()
    .filter(({ damaged }) => !damaged);
  assert.ok(whole.length > 0, 'copies of other groups lost nothing');
  tokens.until(() => !roles().includes('leader'));
  for (let at = 0; at < 40; at++) {
    tokens.run(250);
    assert.ok(!roles().includes('leader'));
  }
  tokens.lost.add(3);
  tokens.check();
});
