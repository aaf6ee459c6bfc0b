// What readers of a replica wait for: how far its copies must be, how old they may be, and what they are told if that
// cannot be had. The replicas that it feeds ask the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '../../src/results.js';
import { FIRST, following, STEPS } from '../support/following.js';
import { ReplicaBench, wordOf } from '../support/replica-bench.js';

test('a linearizable read asks how far the document is, and waits for that', () => {
  const { bench } = following(3);
  bench.clock.pass(10);
  const read = bench.read('k');
  assert.deepEqual(bench.up.questions, [{ number: 1, ids: [1] }]);
  assert.equal(wordOf(read), undefined);
  bench.say((up) => up.heads(1, [4]));
  assert.equal(wordOf(read), undefined);
  bench.say((up) => up.delta(1, STEPS[3]!));
  assert.equal(wordOf(read), 4);
});

test('a read that is given up is not answered, and the leader is asked for it no more', () => {
  const { bench } = following(3);
  bench.clock.pass(10);
  const answers: unknown[] = [];
  const request = { space: 'log', key: 'k', pointer: '', atSeq: undefined, expiresMs: 60_000 };
  const read = bench.replica.read({ mode: { kind: 'linearizable' }, ...request }, (result) => {
    answers.push(result);
  });
  bench.clock.pass(10);
  assert.deepEqual(bench.up.questions, [{ number: 1, ids: [1] }]);
  read.cancel();
  bench.clock.pass(200);
  bench.say((up) => up.heads(1, failure('UNAVAILABLE', 'no leader')));
  assert.equal(bench.up.questions.length, 1);
  bench.clock.pass(1000);
  bench.say((up) => up.heads(2, [3]));
  assert.deepEqual(answers, []);
});

test('a read that joins a load does not miss what was committed since the load began', () => {
  const bench = new ReplicaBench();
  bench.live();
  const first = bench.read('k');
  bench.clock.pass(50);
  const second = bench.read('k');
  bench.say((up) => up.state(1, STEPS[4]!));
  assert.equal(wordOf(first), 5);
  assert.equal(wordOf(second), undefined);
  bench.say((up) => up.heads(1, [6]));
  bench.say((up) => up.delta(1, STEPS[5]!));
  assert.equal(wordOf(second), 6);
});

test('why there is no copy is told to who reads and who watches', () => {
  for (const code of ['SPACE_NOT_FOUND', 'OVERLOADED'] as const) {
    const bench = new ReplicaBench();
    bench.live();
    const read = bench.read('k');
    const stale = bench.read('k', { kind: 'stale' });
    const sink = bench.watch('k');
    bench.say((up) => up.ended(1, failure(code, 'no')));
    assert.deepEqual([wordOf(read), wordOf(stale), sink.ended?.code], [code, code, code]);
    assert.equal(bench.replica.status().copies, 0);
    assert.equal(bench.upstreams.all.length, 1, 'the upstream is as good as before');
  }
});

test('nobody waits beyond its time for a state that does not come', () => {
  const bench = new ReplicaBench();
  bench.live();
  const reads = [bench.read('k'), bench.read('k', { kind: 'stale' })];
  bench.clock.pass(4900);
  assert.deepEqual(reads.map(wordOf), [undefined, undefined]);
  bench.clock.pass(300);
  assert.deepEqual(reads.map(wordOf), ['UNAVAILABLE', 'DEADLINE_EXCEEDED']);
});

test('a copy that fails sends who waits for a seq of it to the next one', () => {
  const { bench, sink } = following(3);
  const read = bench.read('k', { kind: 'atLeast', seq: 5 }, 10_000);
  bench.say((up) => up.ended(1, failure('SPACE_NOT_FOUND', 'gone')));
  assert.equal(sink.ended?.code, 'SPACE_NOT_FOUND');
  assert.deepEqual(bench.up.watches.at(-1), { id: 2, key: 'k', afterSeq: undefined });
  bench.say((up) => up.state(2, STEPS[5]!));
  assert.equal(wordOf(read), 6);
});

test('a stale read within a time asks only if what is here may be older', () => {
  const { bench } = following(3);
  bench.clock.pass(500);
  const near = bench.read('k', { kind: 'stale', withinMs: 500 });
  assert.ok(near.result?.kind === 'value');
  assert.equal(near.result.stalenessMs, 500);
  assert.deepEqual(bench.up.questions, []);
  const far = bench.read('k', { kind: 'stale', withinMs: 499 });
  assert.deepEqual(bench.up.questions, [{ number: 1, ids: [1] }]);
  assert.equal(wordOf(far), undefined);
  bench.clock.pass(20);
  bench.say((up) => up.heads(1, [3]));
  assert.ok(far.result?.kind === 'value');
  assert.equal(far.result.stalenessMs, 20, 'as of the question');
});

test('how fresh a copy is counts from its asking for the state, not from its coming', () => {
  const bench = new ReplicaBench();
  bench.live();
  bench.watch('k');
  bench.clock.pass(300);
  bench.say((up) => up.state(1, STEPS[4]!));
  const read = bench.read('k', { kind: 'stale' });
  assert.ok(read.result?.kind === 'value');
  assert.equal(read.result.stalenessMs, 300);
});

test('copies in use are asked about every second, others are not', () => {
  const { bench } = following(3);
  bench.read('other');
  bench.say((up) => up.state(2, FIRST));
  for (let second = 0; second < 12; second++) {
    bench.clock.pass(1000);
    const question = bench.up.questions.at(-1);
    if (question !== undefined) {
      bench.say((up) =>
        up.heads(
          question.number,
          question.ids.map((id) => (id === 1 ? 3 : 1)),
        ),
      );
    }
  }
  const asked = (id: number): number =>
    bench.up.questions.filter(({ ids }) => ids.includes(id)).length;
  assert.ok(asked(1) >= 10, String(asked(1)));
  assert.ok(asked(2) <= 5, String(asked(2)));
});

test('heads are asked for where its own are, for the replicas that it feeds', () => {
  const { bench } = following(3);
  bench.clock.pass(10);
  let heads: unknown;
  const request = { names: [{ space: 'log', key: 'k' }], expiresMs: 5000 };
  bench.replica.heads(request, (result) => {
    heads = result;
  });
  bench.clock.settle();
  assert.equal(heads, undefined);
  bench.say((up) => up.heads(1, [4]));
  assert.equal(heads, undefined);
  bench.say((up) => up.delta(1, STEPS[3]!));
  assert.deepEqual(heads, { kind: 'heads', seqs: [4] });
});

test('without a way to a node for a while nobody is kept waiting for an answer, and stale reads get what is here', () => {
  const { bench, sink } = following(3);
  const pass = (ms: number): void => {
    for (let passedMs = 0; passedMs < ms; passedMs += 100) {
      bench.clock.pass(100);
      if (!bench.up.isClosed) bench.up.closed();
    }
  };
  const ask = () => [
    bench.read('k', { kind: 'linearizable' }, 30_000),
    bench.read('k', { kind: 'stale', withinMs: 0 }, 30_000),
    bench.read('k', { kind: 'atLeast', seq: 4 }, 30_000),
    bench.read('a', { kind: 'linearizable' }, 30_000),
    bench.read('b', { kind: 'stale' }, 30_000),
    bench.read('c', { kind: 'atLeast', seq: 1 }, 30_000),
  ];
  const none = [undefined, undefined, undefined, undefined, undefined, undefined];
  const all = none.map(() => 'UNAVAILABLE');
  bench.clock.pass(10);
  bench.say((up) => up.closed());
  const early = ask();
  const begun = bench.watch('d');
  pass(2900);
  // The next upstream may have the answers.
  assert.deepEqual(early.map(wordOf), none);
  pass(300);
  assert.deepEqual(early.map(wordOf), all);
  assert.deepEqual([begun.ended?.code, sink.ended], ['UNAVAILABLE', undefined]);
  const late = ask();
  pass(200);
  assert.deepEqual(late.map(wordOf), all);
  assert.equal(wordOf(bench.read('k', { kind: 'stale' })), 3);
  assert.equal(bench.replica.status().copies, 1);
  while (bench.up.isClosed) bench.clock.pass(100);
  bench.live();
  bench.say((up) => up.delta(1, STEPS[3]!));
  assert.deepEqual(sink.got, ['state 3', '4']);
});

test('a replica that stops answers whatever is open', () => {
  const { bench, sink } = following(3);
  bench.clock.pass(10);
  const reads = [bench.read('k'), bench.read('other')];
  bench.replica.stop();
  assert.deepEqual(reads.map(wordOf), ['UNAVAILABLE', 'UNAVAILABLE']);
  assert.equal(sink.ended?.code, 'UNAVAILABLE');
  assert.ok(bench.up.isClosed);
  assert.equal(wordOf(bench.read('k')), 'UNAVAILABLE');
  bench.clock.pass(60_000);
  assert.equal(bench.upstreams.all.length, 1);
});
