// Which upstream a replica follows: ways to nodes, circles, connections that end, and when it leaves one for the next.
// Its copies go on behind what they have, and who watches them stays, unless there is no way for long.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Failure, failure } from '../../src/results.js';
import { FIRST, following, STEPS } from '../support/following.js';
import { ReplicaBench, wordOf } from '../support/replica-bench.js';

test('nothing is watched before there is a way to a node', () => {
  const bench = new ReplicaBench();
  const read = bench.read('k');
  bench.say((up) => up.origin(['r2'], false));
  assert.deepEqual(bench.up.watches, []);
  assert.equal(bench.replica.status().upstream, undefined);
  bench.live(['r2']);
  assert.deepEqual(bench.up.watches, [{ id: 1, key: 'k', afterSeq: undefined }]);
  bench.say((up) => up.state(1, STEPS[4]!));
  assert.equal(wordOf(read), 5);
  const { upstream, via } = bench.replica.status();
  assert.deepEqual([upstream, via], ['a:1', ['r2']]);
  assert.deepEqual(bench.replica.origin, { via: ['r1', 'r2'], live: true });
});

test('a connection that ends: it goes on behind its seq at the next one, and asks again', () => {
  const { bench, sink } = following(3);
  bench.clock.pass(10);
  const read = bench.read('k');
  bench.say((up) => up.closed());
  bench.clock.pass(0);
  assert.equal(bench.up.address, 'b:1');
  assert.equal(bench.replica.status().upstream, undefined);
  bench.live();
  assert.deepEqual(bench.up.watches, [{ id: 1, key: 'k', afterSeq: 3 }]);
  assert.deepEqual(bench.up.questions, [{ number: 2, ids: [1] }]);
  bench.say((up) => {
    up.delta(1, STEPS[3]!);
    up.heads(2, [4]);
  });
  assert.equal(wordOf(read), 4);
  assert.deepEqual(sink.got, ['state 3', '4']);
  assert.equal(sink.ended, undefined);
});

test('what an earlier connection still says is void', () => {
  const { bench, sink } = following(3);
  const before = bench.up;
  bench.say((up) => up.closed());
  bench.clock.pass(0);
  bench.live();
  assert.ok(before.isClosed);
  before.delta(1, STEPS[3]!);
  before.ended(1, failure('SPACE_NOT_FOUND', 'gone'));
  before.closed();
  bench.clock.pass(0);
  assert.deepEqual(sink.got, ['state 3']);
  assert.equal(sink.ended, undefined);
  assert.equal(bench.upstreams.all.length, 2);
});

test('an upstream that leads to no node is left after a while', () => {
  const bench = new ReplicaBench();
  bench.say((up) => up.origin(['r2'], false));
  bench.clock.pass(2900);
  assert.equal(bench.up.address, 'a:1');
  bench.clock.pass(300);
  assert.equal(bench.up.address, 'b:1');
});

test('an upstream that does not answer is left, and the next one is asked', () => {
  const { bench } = following(3);
  bench.clock.pass(10);
  const read = bench.read('k');
  bench.clock.pass(2900);
  assert.equal(bench.up.address, 'a:1');
  bench.clock.pass(300);
  assert.equal(bench.up.address, 'b:1');
  bench.live();
  bench.say((up) => up.heads(2, [3]));
  assert.equal(wordOf(read), 3);
});

test('an upstream that has lost its own one, or the cluster, is left at once', () => {
  for (const lost of [
    (bench: ReplicaBench) => bench.say((up) => up.origin(['r2'], false)),
    (bench: ReplicaBench) => bench.say((up) => up.heads(1, failure('UNAVAILABLE', 'no leader'))),
    (bench: ReplicaBench) => bench.say((up) => up.ended(1, failure('UNAVAILABLE', 'it stops'))),
    (bench: ReplicaBench) => bench.say((up) => up.ended(1, failure('OVERLOADED', 'full'))),
  ]) {
    const { bench, sink } = following(3);
    bench.clock.pass(10);
    bench.read('k');
    lost(bench);
    bench.clock.pass(0);
    assert.equal(bench.up.address, 'b:1');
    assert.equal(sink.ended, undefined, 'its watchers stay');
  }
});

test('an upstream that knows the heads of some documents is not left because of others', () => {
  const { bench } = following(3);
  const ask = () => {
    bench.clock.pass(10);
    const read = bench.read('k');
    bench.clock.pass(0);
    return read;
  };
  const answer = (heads: readonly number[] | Failure): void => {
    bench.say((up) => up.heads(up.questions.at(-1)!.number, heads));
    bench.clock.pass(0);
  };
  const unknown = failure('UNAVAILABLE', 'no leader');
  ask();
  answer([3]);
  const read = ask();
  bench.clock.pass(1000);
  answer(unknown);
  assert.equal(bench.up.address, 'a:1');
  answer([3]);
  assert.equal(wordOf(read), 3, 'it was asked again');
  ask();
  for (let round = 0; round < 4 && bench.up.address === 'a:1'; round++) {
    bench.clock.pass(1000);
    answer(unknown);
    assert.ok(round > 1 || bench.up.address === 'a:1');
  }
  assert.equal(bench.up.address, 'b:1', 'nothing was known for long');
});

test('an upstream that finds no head in the time of a prompt question is asked once more before it is left', () => {
  const { bench } = following(3);
  const unknown = failure('UNAVAILABLE', 'no leader');
  bench.clock.pass(10);
  const read = bench.read('k');
  bench.clock.pass(200);
  bench.say((up) => up.heads(1, unknown));
  bench.clock.pass(0);
  assert.equal(bench.up.address, 'a:1');
  bench.clock.pass(900);
  bench.say((up) => up.heads(2, unknown));
  bench.clock.pass(0);
  assert.equal(bench.up.address, 'b:1');
  bench.live();
  bench.say((up) => up.heads(3, [3]));
  assert.equal(wordOf(read), 3);
});

test('an upstream that knew heads and refuses at once is left at once', () => {
  const { bench } = following(3);
  for (const heads of [[3], failure('UNAVAILABLE', 'it stops')]) {
    bench.clock.pass(10);
    bench.read('k');
    bench.clock.pass(0);
    assert.equal(bench.up.address, 'a:1');
    bench.say((up) => up.heads(up.questions.at(-1)!.number, heads));
    bench.clock.pass(0);
  }
  assert.equal(bench.up.address, 'b:1');
});

test('a copy that no upstream has room for goes, and those beside it stay', () => {
  const { bench, sink } = following(3);
  const other = bench.watch('other');
  bench.say((up) => up.state(2, FIRST));
  const full = failure('OVERLOADED', 'full');
  bench.say((up) => up.ended(1, full));
  bench.clock.pass(0);
  bench.live();
  assert.equal(bench.up.address, 'b:1');
  assert.deepEqual([sink.ended, other.ended], [undefined, undefined]);
  bench.say((up) => up.ended(up.watches.find(({ key }) => key === 'k')!.id, full));
  bench.clock.pass(0);
  assert.equal(sink.ended?.code, 'OVERLOADED');
  assert.equal(bench.upstreams.all.length, 2, 'it stays where the others are');
  bench.say((up) => up.delta(up.watches.find(({ key }) => key === 'other')!.id, STEPS[1]!));
  assert.deepEqual(other.got, ['state 1', '2']);
});

test('an upstream that has no room once is not held against it later', () => {
  const { bench, sink } = following(3);
  const full = failure('OVERLOADED', 'full');
  for (let seq = 4; seq <= 6; seq++) {
    bench.say((up) => up.ended(1, full));
    bench.clock.pass(4000);
    bench.live();
    bench.say((up) => up.delta(1, STEPS[seq - 1]!));
  }
  assert.deepEqual(sink.got, ['state 3', '4', '5', '6']);
  assert.equal(sink.ended, undefined);
});

test('without a way to a node for long its watchers are sent elsewhere', () => {
  const { bench, sink } = following(3);
  bench.say((up) => up.closed());
  for (let passedMs = 0; passedMs < 9800; passedMs += 100) {
    bench.clock.pass(100);
    if (!bench.up.isClosed) bench.up.closed();
  }
  assert.deepEqual([sink.ended], [undefined]);
  bench.clock.pass(400);
  assert.equal(sink.ended?.code, 'UNAVAILABLE');
  const late = bench.watch('k');
  bench.clock.pass(200);
  assert.equal(late.ended?.code, 'UNAVAILABLE');
  assert.equal(wordOf(bench.read('k', { kind: 'stale' })), 3);
  while (bench.up.isClosed) bench.clock.pass(100);
  bench.live();
  const again = bench.watch('k', { afterSeq: 3 });
  bench.clock.pass(200);
  bench.say((up) => {
    up.heads(up.questions.at(-1)!.number, [3]);
    up.delta(1, STEPS[3]!);
  });
  assert.deepEqual([again.ended, again.got], [undefined, ['4']]);
});

test('a circle of replicas is found out, and not followed', () => {
  const bench = new ReplicaBench();
  const read = bench.read('k');
  bench.say((up) => up.origin(['r2', 'r1'], true));
  bench.clock.pass(0);
  assert.ok(bench.logged.includes('upstream-circle'));
  assert.equal(bench.up.address, 'b:1');
  assert.deepEqual(
    bench.upstreams.all.map(({ watches }) => watches),
    [[], []],
  );
  bench.live();
  bench.say((up) => up.state(1, FIRST));
  assert.equal(wordOf(read), 1);
});

test('a circle that closes later is left, too', () => {
  const { bench } = following(3);
  bench.say((up) => up.origin(['r2', 'r1'], true));
  bench.clock.pass(0);
  assert.equal(bench.up.address, 'b:1');
});

test('where no upstream can be had it goes round, at once and then more and more slowly', () => {
  const bench = new ReplicaBench();
  const gapsMs: number[] = [];
  for (let lastMs = 0; bench.upstreams.all.length < 14; ) {
    const count = bench.upstreams.all.length;
    bench.up.closed();
    while (bench.upstreams.all.length === count) bench.clock.pass(10);
    gapsMs.push(bench.clock.monotonicMs() - lastMs);
    lastMs = bench.clock.monotonicMs();
  }
  assert.ok(gapsMs[0]! <= 10);
  assert.ok(gapsMs.at(-1)! >= 1500 && gapsMs.at(-1)! <= 3020, String(gapsMs));
  assert.deepEqual(
    gapsMs,
    [...gapsMs].sort((a, b) => a - b),
  );
  const addresses = new Set(bench.upstreams.all.map(({ address }) => address));
  assert.equal(addresses.size, 2);
});

test('once an upstream has answered, the next one is tried at once', () => {
  const { bench } = following(3);
  for (let count = 0; count < 6; count++) {
    bench.up.closed();
    const { length } = bench.upstreams.all;
    while (bench.upstreams.all.length === length) bench.clock.pass(10);
  }
  bench.live();
  bench.read('k');
  bench.say((up) => up.heads(up.questions.at(-1)!.number, [3]));
  const { length } = bench.upstreams.all;
  bench.say((up) => up.closed());
  bench.clock.pass(0);
  assert.equal(bench.upstreams.all.length, length + 1);
});

test('an upstream of which too much does not fit is left', () => {
  const { bench } = following(3);
  for (let id = 1; id <= 4; id++) bench.say((up) => up.delta(id, STEPS[9]!));
  bench.clock.pass(0);
  assert.equal(bench.up.address, 'b:1');
  bench.live();
  assert.deepEqual(bench.up.watches, [{ id: 1, key: 'k', afterSeq: 3 }]);
});

test('an upstream that finds fault with every question is left', () => {
  const { bench } = following(3);
  bench.clock.pass(10);
  bench.read('k');
  for (let number = 1; number <= 4; number++) {
    assert.equal(bench.up.questions.at(-1)!.number, number);
    bench.say((up) => up.heads(number, failure('INVALID_ARGUMENT', 'too many')));
  }
  bench.clock.pass(0);
  assert.equal(bench.up.address, 'b:1');
});
