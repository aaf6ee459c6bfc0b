// What a replica makes of what its upstream tells of documents: deltas and states, which of its copies it holds, and
// where what has left memory comes from. Which upstream that is stands in following-upstreams.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '../../src/results.js';
import { statePieces } from '../../src/streams/state-pieces.js';
import { FIRST, following, STEPS } from '../support/following.js';
import { tailOf } from '../support/history.js';
import { makeRandomHistory } from '../support/random-history.js';
import { ReplicaBench, wordOf } from '../support/replica-bench.js';

const OTHER = makeRandomHistory(5, 40);

test('deltas reach watchers and readers, each once', () => {
  const { bench, sink } = following(3);
  bench.say((up) => {
    up.delta(1, STEPS[3]!);
    up.delta(1, STEPS[4]!);
    up.delta(1, STEPS[4]!);
  });
  assert.deepEqual(sink.got, ['state 3', '4', '5']);
  assert.equal(wordOf(bench.read('k', { kind: 'stale' })), 5);
});

test('a delta that is missing: the state comes anew, and no watcher misses anything', () => {
  const { bench, sink } = following(3);
  bench.say((up) => up.delta(1, STEPS[4]!));
  assert.deepEqual(bench.up.unwatched, [1]);
  assert.deepEqual(bench.up.watches.at(-1), { id: 2, key: 'k', afterSeq: undefined });
  bench.say((up) => {
    up.delta(1, STEPS[5]!);
    up.state(2, STEPS[5]!);
  });
  const [read] = bench.up.reads;
  assert.deepEqual([read!.key, read!.fromSeq], ['k', 4]);
  read!.done(tailOf(STEPS.slice(3, 6)));
  bench.clock.settle();
  assert.deepEqual(sink.got, ['state 3', '4', '5', '6']);
  assert.equal(bench.replica.status().resyncs, 1);
});

test('a state takes the place of deltas that do not lead to it', () => {
  const { bench, sink } = following(3, { limits: { recentBytesMax: 100_000 } });
  sink.room = 0;
  bench.say((up) => {
    up.delta(1, STEPS[3]!);
    up.delta(1, STEPS[6]!);
    up.state(2, STEPS[9]!);
  });
  sink.room = 100;
  bench.say((up) => up.delta(2, STEPS[10]!));
  assert.equal(bench.up.reads[0]?.fromSeq, 4, 'what came before the state is not kept beside it');
});

test('a delta under a hash that is not its own: the state comes anew (StateIsFold)', () => {
  const { bench, sink } = following(3);
  bench.say((up) => up.delta(1, { ...STEPS[3]!, bytes: OTHER[3]!.bytes }));
  assert.deepEqual(bench.up.watches.at(-1), { id: 2, key: 'k', afterSeq: undefined });
  assert.deepEqual(sink.got, ['state 3']);
});

test('a copy whose last delta was lost begins anew', () => {
  const { bench, sink } = following(3);
  const answer = (): void => {
    const question = bench.up.questions.at(-1);
    if (question !== undefined)
      bench.say((up) =>
        up.heads(
          question.number,
          question.ids.map(() => 4),
        ),
      );
  };
  for (let second = 0; second < 9; second++) {
    bench.clock.pass(1000);
    answer();
  }
  assert.equal(bench.up.watches.length, 1);
  for (let second = 0; second < 4; second++) {
    bench.clock.pass(1000);
    answer();
  }
  assert.deepEqual(bench.up.watches.slice(1), [{ id: 2, key: 'k', afterSeq: undefined }]);
  for (let second = 0; second < 12; second++) {
    bench.clock.pass(1000);
    answer();
  }
  assert.equal(bench.up.watches.length, 2, 'the state may take its time');
  bench.say((up) => up.state(2, STEPS[3]!));
  bench.up.reads[0]!.done(tailOf(STEPS.slice(3, 4)));
  bench.clock.settle();
  assert.deepEqual(sink.got, ['state 3', '4']);
  assert.deepEqual([bench.upstreams.all.length, bench.replica.status().resyncs], [1, 1]);
});

test('a copy that comes on, however slowly, goes on', () => {
  const { bench, sink } = following(3);
  for (let second = 0; second < 30; second++) {
    bench.clock.pass(1000);
    const question = bench.up.questions.at(-1);
    if (question !== undefined) bench.say((up) => up.heads(question.number, [40]));
    if (second % 5 === 4) bench.say((up) => up.delta(1, STEPS[3 + (second - 4) / 5]!));
  }
  assert.equal(sink.got.length, 7);
  assert.equal(bench.replica.status().resyncs, 0);
});

test('where the history behind its seq is gone, or never was, the state comes anew', () => {
  for (const code of ['HISTORY_GONE', 'INVALID_ARGUMENT'] as const) {
    const { bench, sink } = following(3);
    bench.say((up) => up.closed());
    bench.clock.pass(0);
    bench.live();
    bench.say((up) => up.ended(1, failure(code, 'no')));
    assert.deepEqual(bench.up.watches.at(-1), { id: 2, key: 'k', afterSeq: undefined });
    bench.say((up) => up.state(2, STEPS[2]!));
    bench.say((up) => up.delta(2, STEPS[3]!));
    assert.deepEqual(sink.got, ['state 3', '4']);
  }
});

test('a document that goes back ends its watches', () => {
  const { bench, sink } = following(9);
  bench.say((up) => up.ended(1, failure('INVALID_ARGUMENT', 'it is at 4')));
  bench.say((up) => up.state(2, STEPS[3]!));
  assert.equal(sink.ended?.code, 'UNAVAILABLE');
  assert.equal(wordOf(bench.read('k', { kind: 'stale' })), 4);
  assert.ok(bench.logged.includes('copy-went-back'));
});

test('a document that is another one at the same seq ends its watches', () => {
  const { bench, sink } = following(9);
  bench.say((up) => up.ended(1, failure('INVALID_ARGUMENT', 'no')));
  bench.say((up) => up.state(2, OTHER[8]!));
  assert.equal(sink.ended?.code, 'UNAVAILABLE');
});

test('a document that went back is as fresh as its new state, not as the old one', () => {
  const { bench } = following(9);
  bench.clock.pass(10);
  bench.say((up) => up.ended(1, failure('INVALID_ARGUMENT', 'it is at 4')));
  bench.clock.pass(10);
  bench.read('k');
  bench.say((up) => up.heads(1, [9]));
  bench.clock.pass(10);
  bench.say((up) => up.state(2, STEPS[3]!));
  const read = bench.read('k', { kind: 'stale' });
  assert.ok(read.result?.kind === 'value');
  assert.equal(read.result.stalenessMs, 20);
});

test('a state that comes in pieces is not seen before it is whole', () => {
  const bench = new ReplicaBench();
  bench.live();
  const sink = bench.watch('k');
  const pieces = [...statePieces({ seq: 40, root: STEPS[39]!.root }, 40)];
  for (const { piece } of pieces.slice(0, -1)) bench.say((up) => up.piece(1, 40, piece));
  assert.deepEqual(sink.got, []);
  const { piece, hash } = pieces.at(-1)!;
  bench.say((up) => up.piece(1, 40, piece, hash));
  assert.equal(sink.got.at(-1), 'state 40');
});

test('a state that was cut off is asked for again elsewhere', () => {
  const bench = new ReplicaBench();
  bench.live();
  const sink = bench.watch('k');
  const [first] = [...statePieces({ seq: 40, root: STEPS[39]!.root }, 40)];
  bench.say((up) => up.piece(1, 40, first!.piece));
  bench.say((up) => up.closed());
  bench.clock.pass(0);
  bench.live();
  assert.deepEqual(bench.up.watches, [{ id: 1, key: 'k', afterSeq: undefined }]);
  bench.say((up) => up.state(1, STEPS[19]!));
  assert.deepEqual(sink.got, ['state 20']);
});

test('a copy that is let go of is not watched any more', () => {
  const bench = new ReplicaBench({ limits: { idleEvictMs: 1000 } });
  bench.live();
  bench.read('k');
  bench.say((up) => up.state(1, FIRST));
  bench.clock.pass(2500);
  assert.deepEqual(bench.up.unwatched, [1]);
  bench.say((up) => up.delta(1, STEPS[1]!));
  const { copies, evictions } = bench.replica.status();
  assert.deepEqual([copies, evictions], [0, 1]);
});

test('a copy that is watched is not let go of, however little memory there is', () => {
  const limits = { idleEvictMs: 100, residentBytesMax: 1 };
  const { bench, sink } = following(3, { limits });
  bench.clock.pass(2500);
  assert.equal(wordOf(bench.read('other')), 'OVERLOADED');
  const { number } = bench.up.questions.at(-1)!;
  bench.say((up) => up.heads(number, [4]));
  bench.say((up) => up.delta(1, STEPS[3]!));
  assert.deepEqual(sink.got, ['state 3', '4']);
});

test('deltas that have left memory come from the upstream', () => {
  const { bench, sink } = following(3, { limits: { recentBytesMax: 1 } });
  sink.room = 0;
  bench.say((up) => {
    for (let seq = 4; seq <= 9; seq++) up.delta(1, STEPS[seq - 1]!);
  });
  sink.room = 100;
  bench.say((up) => up.delta(1, STEPS[9]!));
  const [read] = bench.up.reads;
  assert.equal(read!.fromSeq, 4);
  read!.done(tailOf(STEPS.slice(3, 7)));
  bench.clock.settle();
  assert.deepEqual(sink.got, ['state 3', '4', '5', '6', '7']);
  assert.equal(bench.up.reads[1]!.fromSeq, 8);
  bench.up.reads[1]!.done(tailOf(STEPS.slice(8, 9)));
  bench.clock.settle();
  assert.equal(sink.ended?.code, 'HISTORY_GONE', 'there is none at seq 8');
});

test('who lags and finds no upstream is sent elsewhere', () => {
  const { bench } = following(3, { limits: { recentBytesMax: 1 } });
  bench.clock.pass(10);
  const sink = bench.watch('k', { afterSeq: 3 });
  bench.say((up) => up.heads(1, [3]));
  sink.room = 0;
  bench.say((up) => {
    for (let seq = 4; seq <= 9; seq++) up.delta(1, STEPS[seq - 1]!);
  });
  bench.say((up) => up.closed());
  sink.room = 100;
  sink.watch!.resume();
  bench.clock.settle();
  assert.equal(sink.ended?.code, 'UNAVAILABLE');
});

test('what it is to hold is kept, and comes back where it could not be had', () => {
  const bench = new ReplicaBench({ limits: { idleEvictMs: 1000 } });
  bench.replica.hold({ space: 'log', key: 'k' });
  bench.live();
  bench.say((up) => up.ended(1, failure('SPACE_NOT_FOUND', 'nothing is deployed yet')));
  bench.clock.pass(1000);
  assert.deepEqual(bench.up.watches.at(-1), { id: 2, key: 'k', afterSeq: undefined });
  bench.say((up) => up.state(2, FIRST));
  bench.clock.pass(2500);
  assert.equal(wordOf(bench.read('k', { kind: 'stale' })), 1);
  assert.equal(bench.up.watches.length, 2);
});
