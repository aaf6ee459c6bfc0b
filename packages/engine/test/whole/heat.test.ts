// What readers and watchers get is counted as heat, where they get it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeId, WatchRequest, WatchSink } from '@deltabase/engine';
import { TOKENS, TokenCluster } from '@deltabase/testkit';
import { IGNORING_SINK } from '../support/watch-sink.js';

function withTokens(seed: number, keys: readonly string[], limits = {}): TokenCluster {
  const tokens = new TokenCluster({ seed, limits }).start();
  const client = tokens.client('c');
  for (const key of keys) client.send(key, 'append');
  tokens.settle();
  return tokens;
}

interface Seen {
  seq: number;
  /** Deltas, several in one as one. */
  steps: number;
}

function watch(tokens: TokenCluster, node: NodeId, request: Partial<WatchRequest> = {}): Seen {
  const seen: Seen = { seq: 0, steps: 0 };
  const sink: WatchSink = {
    ...IGNORING_SINK,
    state: (seq) => {
      seen.seq = seq;
    },
    delta: ({ seq }) => {
      seen.seq = seq;
      seen.steps++;
    },
    composed: ({ seq }) => {
      seen.seq = seq;
      seen.steps++;
    },
    end: (why) => assert.fail(why.message),
  };
  const whole = { space: TOKENS, key: 'a', afterSeq: undefined, ...request };
  tokens.cluster.engine(node).watch(whole, sink);
  return seen;
}

/** A long half-life: what is counted is there to be seen. */
const SLOW = { heatHalfLifeMs: 1e9 };

function countsOf(tokens: TokenCluster, node: NodeId) {
  const engine = tokens.cluster.engine(node);
  const { readsAnswered, eventsDelivered } = engine.status().counters;
  const perSecond = (Math.LN2 * 1000) / SLOW.heatHalfLifeMs;
  const hottest = engine
    .hottest(10)
    .map(({ key, readsPerSecond, deliveriesPerSecond }) => [
      key,
      Math.round(readsPerSecond / perSecond),
      Math.round(deliveriesPerSecond / perSecond),
    ]);
  return { readsAnswered, eventsDelivered, hottest };
}

test('each read is counted at the node that answers it, and only those that another copy could answer', () => {
  const tokens = withTokens(1, ['a', 'a', 'b'], SLOW);
  const [here, there] = tokens.cluster.ids as [NodeId, NodeId];
  tokens.valueAt(here, 'b');
  for (let count = 0; count < 3; count++) {
    tokens.valueAt(here, 'a', { mode: count === 1 ? { kind: 'stale' } : { kind: 'linearizable' } });
  }
  assert.equal(tokens.read(here, 'a', { pointer: '/none' }).kind, 'failed');
  // The past is on disk here, and in no other copy; what is not there has none.
  assert.equal(tokens.valueAt(here, 'a', { atSeq: 1 }).seq, 1);
  assert.equal(tokens.read(here, 'none').kind, 'failed');
  tokens.valueAt(there, 'a');
  assert.deepEqual(countsOf(tokens, here), {
    readsAnswered: 5,
    eventsDelivered: 0,
    hottest: [
      ['a', 4, 0],
      ['b', 1, 0],
    ],
  });
  assert.deepEqual(countsOf(tokens, there).hottest, [['a', 1, 0]]);
});

test('each event is counted for each watcher that is given it, and a state as one', () => {
  const tokens = withTokens(2, ['a', 'b'], { ...SLOW, pieceBytesMax: 16 });
  const [here, there] = tokens.cluster.ids as [NodeId, NodeId];
  const watches = [watch(tokens, here), watch(tokens, here), watch(tokens, here, { afterSeq: 1 })];
  tokens.until(() => watches.slice(0, 2).every(({ seq }) => seq === 1));
  assert.equal(countsOf(tokens, here).eventsDelivered, 2);
  const client = tokens.client('d');
  for (let count = 0; count < 5; count++) {
    client.send('a', 'append');
    client.send('b', 'append');
    tokens.settle();
  }
  tokens.until(() => watches.every(({ seq }) => seq === 6));
  assert.deepEqual(countsOf(tokens, here), {
    readsAnswered: 0,
    eventsDelivered: 2 + 3 * 5,
    hottest: [['a', 0, 17]],
  });
  assert.deepEqual(countsOf(tokens, there).hottest, []);
});

test('what keeps copies current is not counted: their readers are, where they are', () => {
  const tokens = withTokens(5, ['a'], SLOW);
  const [here] = tokens.cluster.ids as [NodeId];
  const watches = [watch(tokens, here, { forCopy: true }), watch(tokens, here)];
  tokens.until(() => watches.every(({ seq }) => seq === 1));
  const client = tokens.client('d');
  for (let count = 0; count < 3; count++) {
    client.send('a', 'append');
    tokens.settle();
  }
  tokens.until(() => watches.every(({ seq }) => seq === 4));
  assert.equal(countsOf(tokens, here).eventsDelivered, 1 + 3);
});

test('several deltas in one are counted as one, by what they take', () => {
  const tokens = withTokens(4, ['a'], SLOW);
  const [here] = tokens.cluster.ids as [NodeId];
  const seen = watch(tokens, here, { policy: { kind: 'perSecond', perSecond: 1 } });
  tokens.until(() => seen.seq === 1);
  const client = tokens.client('d');
  for (let count = 0; count < 40; count++) {
    client.send('a', 'append');
    tokens.settle();
    tokens.run(50);
  }
  tokens.until(() => seen.seq === 41);
  assert.ok(seen.steps < 10 && seen.steps > 1, `${seen.steps} steps`);
  assert.equal(countsOf(tokens, here).eventsDelivered, 1 + seen.steps);
});

test('a document is hot while it is read a lot, and cool some time after', () => {
  const limits = {
    heatHalfLifeMs: 500,
    hotReadsPerSecondMin: 20,
    copyReadsPerSecondMax: 40,
    hotCoolMs: 2000,
  };
  const tokens = withTokens(3, ['a', 'b'], limits);
  const [here] = tokens.cluster.ids as [NodeId];
  const engine = tokens.cluster.engine(here);
  const copiesOf = (key: string): number =>
    engine.hottest(10).find((one) => one.key === key)?.copiesWanted ?? 0;
  const readFor = (ms: number, everyMs: number): void => {
    const untilMs = tokens.cluster.simulation.nowMs + ms;
    while (tokens.cluster.simulation.nowMs < untilMs) {
      tokens.valueAt(here, 'a', { mode: { kind: 'stale' } });
      tokens.run(everyMs);
    }
  };
  tokens.valueAt(here, 'b');
  readFor(3000, 100);
  assert.equal(copiesOf('a'), 0, 'ten a second are not many');
  readFor(3000, 10);
  assert.equal(copiesOf('a'), 3, 'a hundred are three times what a copy takes');
  assert.equal(copiesOf('b'), 0);
  assert.equal(engine.status().counters.documentsHot, 1);
  readFor(5000, 70);
  assert.equal(copiesOf('a'), 1);
  tokens.run(5000);
  assert.equal(engine.status().counters.documentsHot, 0);
});
