// The configuration of a group where it is not read from the log: after a restart behind a flush, after a snapshot, and
// after both (docs/raft.md, pitfall 6).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitChange, orderChange, simulatedMember, TokenCluster } from '@deltabase/testkit';

const KEYS = 'abcdefgh'.split('');
/** Flushed all the time, and no log is left behind that. */
const LIMITS = { flushIntervalMs: 100, trailingLogBytesMax: 1, heldLogBytesMax: 1 };

class Nodes {
  readonly tokens = new TokenCluster({ seed: 1, groups: 2, limits: LIMITS }).start();
  readonly #client = this.tokens.client('c');

  write(): void {
    for (const key of KEYS) this.#client.send(key, 'append');
    this.tokens.settle();
    this.tokens.run(500);
  }

  restart(node: number): void {
    const { cluster } = this.tokens;
    if (cluster.isUp(node)) cluster.crash(node);
    cluster.startNode(node);
    this.tokens.until(() => cluster.isUp(node));
  }

  /** Every group of a node has these voters and learners, and its log begins behind what made them so. */
  has(node: number, voters: readonly number[], learners: readonly number[]): void {
    const { groups } = this.tokens.cluster.engine(node).status();
    for (const { conf, firstIndex } of groups) {
      assert.deepEqual([conf.voters, conf.learners], [voters, learners], `node ${node}`);
      assert.ok(firstIndex > 5);
    }
  }
}

test('a node that restarts knows the voters and learners that it has flushed', () => {
  const nodes = new Nodes();
  const { tokens } = nodes;
  for (const [promote, voters, learners] of [
    [false, [1, 2, 3], [4]],
    [true, [1, 2, 3, 4], []],
  ] as const) {
    const member = simulatedMember(4);
    const order = promote
      ? ({ kind: 'promote', node: 4 } as const)
      : ({ kind: 'add', member, promote } as const);
    const begun = orderChange(tokens.cluster, order);
    if (!promote) tokens.cluster.joinNode(4);
    awaitChange(tokens.cluster, begun);
    for (let round = 0; round < 8; round++) nodes.write();
    for (const node of tokens.cluster.ids) {
      nodes.restart(node);
      nodes.has(node, voters, learners);
    }
    tokens.run(5000);
  }
  tokens.check();
});

test('a node that was away takes the configuration of a snapshot, and keeps it over restarts', () => {
  const nodes = new Nodes();
  const { tokens } = nodes;
  tokens.cluster.crash(3);
  const begun = orderChange(tokens.cluster, {
    kind: 'add',
    member: simulatedMember(4),
    promote: true,
  });
  tokens.cluster.joinNode(4);
  awaitChange(tokens.cluster, begun);
  for (let round = 0; round < 8; round++) nodes.write();
  nodes.restart(3);
  tokens.run(5000);
  nodes.has(3, [1, 2, 3, 4], []);
  nodes.restart(3);
  nodes.has(3, [1, 2, 3, 4], []);
  tokens.check();
});

test('the system group lets go of a node last, when no other group has it any more', () => {
  const lines: string[] = [];
  const trace = (line: string): void => void lines.push(line);
  const tokens = new TokenCluster({ seed: 2, groups: 6, trace }).start();
  tokens.run(3000);
  awaitChange(tokens.cluster, orderChange(tokens.cluster, { kind: 'remove', node: 3 }));
  const removals = lines.filter((line) => /configuration-step .*"remove 3"/.test(line));
  assert.equal(removals.length, 7);
  assert.match(removals.at(-1)!, /"group":0,/);
});

test('who stays of two goes on alone, though all power fails as soon as the other one may go', () => {
  const limits = { flushIntervalMs: 600_000 };
  const tokens = new TokenCluster({ seed: 3, groups: 3, storage: 'level', limits }).start();
  const { cluster } = tokens;
  for (const node of [3, 2]) {
    const begun = orderChange(cluster, { kind: 'remove', node });
    assert.ok(begun.kind === 'begun');
    const report = () => cluster.engine(1).members();
    tokens.until(() => report().changes >= begun.number && report().change === undefined);
    // Nothing was written since but what the change needed.
    cluster.crash(1, 'lost');
    if (cluster.isRunning(node)) cluster.crash(node);
    tokens.lost.add(node);
    cluster.startNode(1);
    tokens.until(() => cluster.isUp(1));
    tokens.run(3000);
  }
  const client = tokens.client('alone');
  for (const key of KEYS) client.send(key, 'append');
  tokens.settle();
});
