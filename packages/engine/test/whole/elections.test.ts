import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenCluster } from '@deltabase/testkit';

const GROUPS = 60;

/** A cluster of three, and how often a node has campaigned since it began. */
function setUp(seed: number) {
  const seen = { campaigns: 0 };
  const trace = (line: string): void => {
    if (line.includes('"role":"preCandidate"')) seen.campaigns++;
  };
  return { tokens: new TokenCluster({ seed, groups: GROUPS, trace }), seen };
}

/** Who leads each group, by what `node` knows. */
function leaders(tokens: TokenCluster, node: number): readonly number[] {
  return tokens.cluster.engine(node).leaders();
}

test('groups that start together have a candidate each, and are led where they should be', () => {
  const { tokens, seen } = setUp(1);
  const { cluster } = tokens;
  cluster.start();
  const { nowMs } = cluster.simulation;
  assert.ok(nowMs < 1500, `led after ${nowMs} ms, long before the balancer looks`);
  const astray = leaders(tokens, 1).filter((leader, group) => leader !== 1 + (group % 3));
  assert.ok(astray.length <= GROUPS / 10, `${astray.length} are led astray`);
  assert.ok(seen.campaigns <= 1.2 * GROUPS, `${seen.campaigns} campaigns`);
});

test('a node that was alone for long takes its turn when others come', () => {
  const { tokens, seen } = setUp(4);
  const { cluster } = tokens;
  cluster.startNode(1);
  tokens.run(5000);
  assert.ok(seen.campaigns >= GROUPS, 'it has campaigned for all of them');
  for (const id of [2, 3]) cluster.startNode(id);
  tokens.until(() => [2, 3].every((id) => cluster.isUp(id)));
  seen.campaigns = 0;
  cluster.awaitLeaders();
  const astray = leaders(tokens, 1).filter((leader, group) => leader !== 1 + (group % 3));
  assert.ok(astray.length <= GROUPS / 10, `${astray.length} are led astray`);
  assert.ok(seen.campaigns <= 1.4 * GROUPS, `${seen.campaigns} campaigns`);
  tokens.check();
});

test('the groups of a lost node have a candidate each, and go to both others alike', () => {
  const { tokens, seen } = setUp(2);
  const { cluster } = tokens;
  tokens.start();
  tokens.run(20_000);
  const lost = leaders(tokens, 1).flatMap((leader, group) => (leader === 1 ? [group] : []));
  assert.ok(lost.length >= 19);
  seen.campaigns = 0;
  cluster.crash(1);
  const isLed = (): boolean => [2, 3].every((id) => leaders(tokens, id).every((it) => it > 1));
  tokens.until(isLed, 1500);
  assert.ok(
    seen.campaigns <= 1.15 * lost.length,
    `${seen.campaigns} campaigns for ${lost.length} groups`,
  );
  const gained = lost.filter((group) => leaders(tokens, 2)[group] === 2).length;
  const share = gained / lost.length;
  assert.ok(share > 0.3 && share < 0.7, `node 2 has ${gained} of ${lost.length}`);
  tokens.check();
});

test('a node that gives up a leadership is not the first to take it again', () => {
  const { tokens } = setUp(3);
  const { cluster } = tokens;
  tokens.start();
  tokens.run(20_000);
  const led = leaders(tokens, 2).flatMap((leader, group) => (leader === 1 ? [group] : []));
  // It hears nobody, so that it steps down; then all hear of each other again, and nobody leads.
  for (const id of [1, 2, 3]) cluster.setLinks(id, 'cut');
  tokens.until(() => led.every((group) => leaders(tokens, 1)[group] === 0), 3000);
  for (const id of [1, 2, 3]) cluster.setLinks(id, 'whole');
  const isLed = (): boolean => leaders(tokens, 1).every((leader) => leader > 0);
  tokens.until(isLed, 5000);
  const kept = led.filter((group) => leaders(tokens, 1)[group] === 1);
  assert.ok(kept.length <= led.length / 10, `${kept.length} of ${led.length}`);
  tokens.check();
});
