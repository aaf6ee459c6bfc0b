// One message at a time: what it costs the nodes that nobody waits for, and that nobody waits for a node that is
// slow (peers/promptness.ts).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenCluster } from '@deltabase/testkit';

function startCluster(seed: number): TokenCluster {
  const tokens = new TokenCluster({ seed }).start();
  // Until those lead that shall.
  tokens.run(5000);
  return tokens;
}

/** Sends messages to document `a`, each once the one before is answered. Returns how long each took, simulated ms. */
function sendAlone(tokens: TokenCluster, count: number): number[] {
  const { simulation } = tokens.cluster;
  const leader = tokens.leaderOf('a');
  const client = tokens.client(`c${tokens.clients.length}`);
  return Array.from({ length: count }, () => {
    const sentMs = simulation.nowMs;
    client.send('a', 'append', leader);
    tokens.settle();
    return simulation.nowMs - sentMs;
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function framesSent(tokens: TokenCluster, node: number): number {
  return tokens.cluster.engine(node).status().counters.peerFramesSent;
}

/** Of the two followers, who answers each message and who some together, after a few messages. */
function orderOf(tokens: TokenCluster): { readonly prompt: number; readonly waiting: number } {
  const followers = tokens.followersOf('a');
  const before = followers.map((node) => framesSent(tokens, node));
  sendAlone(tokens, 100);
  const sent = followers.map((node, at) => framesSent(tokens, node) - before[at]!);
  const first = sent[0]! > sent[1]! ? 0 : 1;
  assert.ok(sent[first]! >= 100 && sent[1 - first]! < 60, `${sent} frames for 100 messages`);
  return { prompt: followers[first]!, waiting: followers[1 - first]! };
}

test('of two followers one is asked at once, the other has everything a little later', () => {
  const tokens = startCluster(1);
  const { waiting } = orderOf(tokens);
  const leader = tokens.leaderOf('a');
  const applied = (node: number) => tokens.cluster.engine(node).status().groups[1]!.applied;
  assert.ok(applied(waiting) < applied(leader), 'it is behind for a moment');
  tokens.run(50);
  assert.equal(applied(waiting), applied(leader));
  tokens.check();
});

test('nobody waits for long for a follower that stands still or is cut off, and soon not at all', () => {
  for (const harm of ['pause', 'cut'] as const) {
    const tokens = startCluster(2);
    const { prompt, waiting } = orderOf(tokens);
    const usual = median(sendAlone(tokens, 50));
    if (harm === 'pause') tokens.cluster.pause(prompt);
    else tokens.cluster.setLinks(prompt, 'cut');
    const [first, ...rest] = sendAlone(tokens, 50);
    assert.ok(first! < usual + 25, `the first took ${first} ms, others ${usual}`);
    assert.ok(median(rest) < 2 * usual, `then ${median(rest)} ms, before ${usual}`);
    // It is back, and nobody needs it: the other one stays the first.
    if (harm === 'pause') tokens.cluster.resume(prompt);
    else tokens.cluster.setLinks(prompt, 'whole');
    tokens.run(5000);
    assert.equal(orderOf(tokens).prompt, waiting);
    tokens.check();
  }
});
