import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ComposedDelta,
  Failure,
  ProgressMark,
  TailDelta,
  WatchPolicy,
  WatchSink,
} from '@deltabase/engine';
import { TOKENS, TokenCluster } from '@deltabase/testkit';

class Sink implements WatchSink {
  readonly seqs: number[] = [];
  readonly marks: number[] = [];
  stateSeq: number | undefined;
  ready = true;
  idle = true;
  ended: Failure | undefined;

  state(seq: number): void {
    this.stateSeq = seq;
  }

  delta({ seq }: TailDelta): void {
    this.seqs.push(seq);
  }

  composed({ seq }: ComposedDelta): void {
    assert.ok(seq > (this.seqs.at(-1) ?? -1), `${seq} comes again`);
    this.seqs.push(seq);
  }

  progress({ seq }: ProgressMark): void {
    this.marks.push(seq);
  }

  flush(): void {}

  end(why: Failure): void {
    this.ended = why;
  }
}

function withTokens(seed: number, count: number, limits = {}): TokenCluster {
  const tokens = new TokenCluster({ seed, limits }).start();
  const client = tokens.client('c');
  for (let sent = 0; sent < count; sent++) {
    client.send('a', 'append');
    if (sent % 5 === 4) tokens.settle();
  }
  tokens.settle();
  return tokens;
}

function watch(
  tokens: TokenCluster,
  node: number,
  afterSeq?: number,
  policy: WatchPolicy = { kind: 'every' },
): Sink {
  const sink = new Sink();
  tokens.cluster.engine(node).watch({ space: TOKENS, key: 'a', afterSeq, policy }, sink);
  return sink;
}

function watchPointers(
  tokens: TokenCluster,
  node: number,
  pointers: readonly string[],
  afterSeq?: number,
): Sink {
  const sink = new Sink();
  tokens.cluster.engine(node).watch({ space: TOKENS, key: 'a', afterSeq, pointers }, sink);
  return sink;
}

function from(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

test('a watch resumes behind any retained seq, at any node, without gap or repeat (CommittedOnly)', () => {
  const limits = { flushIntervalMs: 100, chunkBytesMax: 400, snapshotDeltaBytesMin: 500 };
  const tokens = withTokens(1, 40, limits);
  tokens.run(1000);
  tokens.client('d').send('a', 'append');
  tokens.settle();
  for (const id of tokens.cluster.ids) {
    const sinks = from(0, 41).map((afterSeq) => watch(tokens, id, afterSeq));
    tokens.until(() => sinks.every(({ seqs }, afterSeq) => seqs.length === 41 - afterSeq));
    for (const [afterSeq, sink] of sinks.entries()) {
      assert.deepEqual(sink.seqs, from(afterSeq + 1, 41));
      assert.equal(sink.stateSeq, undefined);
    }
    const beyond = watch(tokens, id, 42);
    tokens.until(() => beyond.ended !== undefined);
    assert.equal(beyond.ended!.code, 'INVALID_ARGUMENT');
  }
});

test('no watcher sees a delta before it is committed (CommittedOnly)', () => {
  const tokens = withTokens(2, 3);
  const leader = tokens.leaderOf('a');
  const latest = { kind: 'latest' } as const;
  const sinks = [watch(tokens, leader), watch(tokens, leader, 1, latest)];
  tokens.run(100);
  assert.deepEqual([sinks[0]!.stateSeq, sinks[1]!.seqs], [3, [3]]);
  for (const id of tokens.followersOf('a')) tokens.cluster.setLink(id, leader, 'cut');
  tokens.client('d').send('a', 'append', leader);
  tokens.run(200);
  assert.deepEqual([sinks[0]!.seqs, sinks[1]!.seqs], [[], [3]]);
  tokens.check();
});

test('a watch that begins while deltas are in flight begins with the committed state (CommittedOnly)', () => {
  const tokens = withTokens(7, 3);
  const leader = tokens.leaderOf('a');
  tokens.run(500);
  // The leader is confirmed at once, and its entries are on no disk for long.
  tokens.cluster.weather.writeMsMax = 100_000;
  tokens.client('d').send('a', 'append', leader);
  tokens.run(20);
  const sink = watch(tokens, leader);
  tokens.run(200);
  assert.equal(sink.stateSeq, 3);
  assert.equal(tokens.valueAt(leader, 'a').seq, 3);
  assert.deepEqual(sink.seqs, []);
  tokens.cluster.weather.writeMsMax = 2;
  tokens.until(() => sink.seqs.length === 1, 200_000);
  assert.deepEqual(sink.seqs, [4]);
  tokens.check();
});

test('watchers through crashes, snapshots and slow reading see the fold of every delta (StateIsFold)', () => {
  const limits = { flushIntervalMs: 60, trailingLogBytesMax: 0, heldLogBytesMax: 0 };
  const tokens = new TokenCluster({ seed: 3, limits }).start();
  const watches = [0, 1, 2, 3].map((at) => tokens.watch(`w${at}`, 'a', { stallMsMax: at * 60 }));
  const client = tokens.client('c');
  for (let round = 0; round < 12; round++) {
    const down = 1 + (round % 3);
    tokens.cluster.crash(down);
    for (let count = 0; count < 5; count++) client.send('a', 'append_much');
    tokens.run(600);
    tokens.cluster.startNode(down);
    tokens.run(200);
  }
  tokens.check();
  assert.ok(watches.some(({ begun }) => begun.behindSeq > 0));
  assert.ok(watches.every(({ seq }) => seq === 60));
});

test('watchers of any policy, slow or not, through crashes and snapshots end with the same state', () => {
  for (const watchVersionsBytesMax of [1, 2 ** 26]) {
    const limits = { flushIntervalMs: 60, trailingLogBytesMax: 0, heldLogBytesMax: 0 };
    const seed = 13;
    const tokens = new TokenCluster({ seed, limits: { ...limits, watchVersionsBytesMax } }).start();
    const policies: WatchPolicy[] = [
      { kind: 'latest' },
      { kind: 'perSecond', perSecond: 2 },
      { kind: 'perSecond', perSecond: 20 },
    ];
    const watches = policies.flatMap((policy, at) => [
      tokens.watch(`quick${at}`, 'a', { policy }),
      tokens.watch(`slow${at}`, 'a', { policy, stallMsMax: 500 }),
    ]);
    sendThroughCrashes(tokens);
    assert.ok(watches.every(({ seq }) => seq === 90));
    assert.ok(watches.some(({ skipped }) => skipped.composed > 10));
  }
});

test('a watch at a rate gets so many events a second, and the newest state without another delta', () => {
  const tokens = withTokens(8, 3);
  const [follower] = tokens.followersOf('a');
  const sink = watch(tokens, follower!, undefined, { kind: 'perSecond', perSecond: 4 });
  tokens.run(300);
  const client = tokens.client('d');
  for (let count = 0; count < 200; count++) {
    client.send('a', 'append');
    tokens.run(10);
  }
  tokens.settle();
  assert.ok(sink.seqs.length >= 7 && sink.seqs.length <= 10, String(sink.seqs));
  tokens.run(500);
  assert.equal(sink.seqs.at(-1), 203);
  const beyond = watch(tokens, follower!, undefined, { kind: 'perSecond', perSecond: 0 });
  tokens.until(() => beyond.ended !== undefined);
  assert.equal(beyond.ended!.code, 'INVALID_ARGUMENT');
});

test('a slow consumer holds nothing in memory, and gets all of it in the end', () => {
  const tokens = withTokens(4, 5, { flushIntervalMs: 50, idleEvictMs: 100 });
  const sink = new Sink();
  sink.ready = false;
  const [follower] = tokens.followersOf('a');
  const handle = tokens.cluster
    .engine(follower!)
    .watch({ space: TOKENS, key: 'a', afterSeq: 0 }, sink);
  const client = tokens.client('d');
  for (let count = 0; count < 50; count++) client.send('a', 'append_much');
  tokens.settle();
  tokens.run(2000);
  assert.deepEqual(sink.seqs, []);
  sink.ready = true;
  handle.resume();
  tokens.until(() => sink.seqs.length === 55);
  assert.deepEqual(sink.seqs, from(1, 55));
  handle.cancel();
  client.send('a', 'append');
  tokens.settle();
  tokens.run(500);
  assert.equal(sink.seqs.length, 55);
});

test('a watch on a space without a machine, or beyond the limit, ends with why', () => {
  const tokens = withTokens(5, 1, { watchesPerNodeMax: 2 });
  const none = new Sink();
  tokens.cluster.engine(1).watch({ space: 'none', key: 'a', afterSeq: undefined }, none);
  tokens.until(() => none.ended !== undefined);
  assert.equal(none.ended!.code, 'SPACE_NOT_FOUND');
  const sinks = [watch(tokens, 1), watch(tokens, 1), watch(tokens, 1)];
  tokens.run(200);
  assert.deepEqual(
    sinks.map(({ ended }) => ended?.code),
    [undefined, undefined, 'OVERLOADED'],
  );
  assert.equal(tokens.cluster.engine(1).status().counters.watches, 2);
  tokens.cluster.engine(1).stop();
  assert.deepEqual(
    sinks.map(({ ended }) => ended?.code),
    ['UNAVAILABLE', 'UNAVAILABLE', 'OVERLOADED'],
  );
});

test('a watch that nobody can confirm ends, and does not wait for ever', () => {
  const tokens = withTokens(6, 1);
  const [follower] = tokens.followersOf('a');
  tokens.cluster.setLinks(follower!, 'cut');
  const sink = watch(tokens, follower!);
  tokens.until(() => sink.ended !== undefined, 12_000);
  assert.equal(sink.ended!.code, 'UNAVAILABLE');
});

test('watchers of some positions, of any policy, slow or not, through crashes and snapshots miss nothing there', () => {
  for (const limit of [1, 2 ** 24]) {
    const limits = { flushIntervalMs: 60, trailingLogBytesMax: 0, heldLogBytesMax: 0 };
    const kept = { watchVersionsBytesMax: limit, watchStepsBytesMax: limit, watchProgressMs: 300 };
    const tokens = new TokenCluster({ seed: 21, limits: { ...limits, ...kept } }).start();
    // All see one view, at their own pace.
    const positions = [3, 20, 21, 55, 80];
    const policies: WatchPolicy[] = [
      { kind: 'every' },
      { kind: 'latest' },
      { kind: 'perSecond', perSecond: 10 },
    ];
    const watches = policies.flatMap((policy) => [
      tokens.watch(`quick ${policy.kind}`, 'a', { policy, positions }),
      tokens.watch(`slow ${policy.kind}`, 'a', { policy, positions, stallMsMax: 700 }),
    ]);
    sendThroughCrashes(tokens);
    assert.ok(watches.every(({ seq }) => seq === 90));
    assert.ok(watches.every(({ marks }) => marks > 3));
    assert.ok(watches.some(({ begun }) => begun.behindSeq > 0));
  }
});

test('each change behind any seq is found in the history, at any node', () => {
  const limits = { flushIntervalMs: 100, chunkBytesMax: 400, snapshotDeltaBytesMin: 500 };
  const tokens = withTokens(9, 40, limits);
  tokens.run(1000);
  tokens.client('d').send('a', 'append');
  tokens.settle();
  for (const id of tokens.cluster.ids) {
    const sinks = from(0, 41).map((afterSeq) => watchPointers(tokens, id, ['/7', '/30'], afterSeq));
    const isDone = ({ seqs, marks }: Sink): boolean => (marks.at(-1) ?? seqs.at(-1)) === 41;
    tokens.until(() => sinks.every((sink, afterSeq) => afterSeq === 41 || isDone(sink)));
    for (const [afterSeq, sink] of sinks.entries()) {
      assert.deepEqual(
        sink.seqs,
        [8, 31].filter((seq) => seq > afterSeq),
      );
      assert.equal(sink.stateSeq, undefined);
    }
  }
});

test('watchers of one view that wake one after the other each get the newest view', () => {
  const tokens = withTokens(12, 3);
  const sinks = [new Sink(), new Sink()];
  const request = { space: TOKENS, key: 'a', afterSeq: undefined, pointers: [''] };
  const policy = { kind: 'latest' } as const;
  const watches = sinks.map((sink) => tokens.cluster.engine(1).watch({ policy, ...request }, sink));
  tokens.until(() => sinks.every(({ stateSeq }) => stateSeq === 3));
  for (const sink of sinks) sink.idle = false;
  const client = tokens.client('d');
  for (const [at, sink] of sinks.entries()) {
    client.send('a', 'append');
    tokens.settle();
    tokens.run(200);
    sink.idle = true;
    watches[at]!.resume();
    tokens.run(200);
    assert.equal(sink.seqs.at(-1), 4 + at);
  }
  assert.deepEqual(
    sinks.map(({ seqs }) => seqs),
    [[4, 5], [5]],
  );
});

test('a watch of what does not change is told how far that holds, a while after a delta', () => {
  const tokens = withTokens(10, 3, { watchProgressMs: 2000 });
  const sink = watchPointers(tokens, 1, ['/1']);
  tokens.run(100);
  tokens.client('d').send('a', 'append');
  tokens.settle();
  tokens.run(1500);
  assert.deepEqual([sink.stateSeq, sink.seqs, sink.marks], [3, [], []]);
  tokens.run(1000);
  assert.deepEqual([sink.seqs, sink.marks], [[], [4]]);
  tokens.run(5000);
  assert.deepEqual(sink.marks, [4], 'nothing happened');
});

test('pointers that are none, too many or too different end a watch with why', () => {
  const limits = { watchPointersMax: 2, pointerBytesMax: 40, watchFiltersPerDocumentMax: 2 };
  const tokens = withTokens(11, 1, limits);
  const long = '/23456789012345678901';
  const bad = [['a'], ['/1', '/2', '/3'], [long, long]];
  const refused = bad.map((pointers) => watchPointers(tokens, 1, pointers));
  const taken = [['/1', '/2'], ['/3'], ['/2', '/1', '/1']].map((pointers) =>
    watchPointers(tokens, 1, pointers.slice(0, 2)),
  );
  tokens.run(200);
  const beyond = watchPointers(tokens, 1, ['/4']);
  tokens.run(200);
  const codes = [...refused, ...taken, beyond].map(({ ended }) => ended?.code);
  const invalid = 'INVALID_ARGUMENT';
  const none = undefined;
  assert.deepEqual(codes, [invalid, invalid, invalid, none, none, none, 'OVERLOADED']);
});

/** 90 messages to "a", while one node after the other is down; then all that was seen is checked. */
function sendThroughCrashes(tokens: TokenCluster): void {
  const client = tokens.client('c');
  for (let round = 0; round < 9; round++) {
    const down = 1 + (round % 3);
    tokens.cluster.crash(down);
    for (let part = 0; part < 10; part++) {
      client.send('a', part % 3 === 0 ? 'append_much' : 'append');
      tokens.run(60);
    }
    tokens.cluster.startNode(down);
    tokens.run(200);
  }
  tokens.check();
}
