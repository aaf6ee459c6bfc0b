import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '../../src/results.js';
import { statePieces } from '../../src/streams/state-pieces.js';
import { makeHistory } from '../support/history.js';
import { makeRandomHistory } from '../support/random-history.js';
import { ReplicaBench, wordOf } from '../support/replica-bench.js';

const STEPS = makeHistory(40);
const OTHER = makeRandomHistory(5, 40);
const FIRST = STEPS[0]!;

/** A replica that follows document `k`, which is at `seq`; watched by a sink that has its state. */
function following(seq: number, options = {}) {
  const bench = new ReplicaBench(options);
  bench.live();
  const sink = bench.watch('k');
  bench.say((up) => up.state(1, STEPS[seq - 1]!));
  assert.deepEqual(sink.got, [`state ${seq}`]);
  return { bench, sink };
}

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
  read!.done(STEPS.slice(3, 6).map(({ record, bytes }) => deltaOf(record.seq, bytes)));
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
  bench.up.reads[0]!.done([deltaOf(4, STEPS[3]!.bytes)]);
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
  read!.done(STEPS.slice(3, 7).map(({ record, bytes }) => deltaOf(record.seq, bytes)));
  bench.clock.settle();
  assert.deepEqual(sink.got, ['state 3', '4', '5', '6', '7']);
  assert.equal(bench.up.reads[1]!.fromSeq, 8);
  bench.up.reads[1]!.done(STEPS.slice(8, 9).map(({ record, bytes }) => deltaOf(record.seq, bytes)));
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

function deltaOf(seq: number, bytes: Uint8Array) {
  return { seq, bytes, record: undefined, encoded: undefined };
}
