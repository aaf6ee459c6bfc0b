import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import { Document, hashText, PieceBuilder, parsePiece } from '@deltabase/delta';
import { LocalDocument } from '../../src/documents/local-document.js';
import { recordOf, storedDelta, type TailDelta } from '../../src/documents/tail.js';
import { type Failure, failure } from '../../src/results.js';
import type { ReadDeltas } from '../../src/streams/document-source.js';
import { Watcher, type WatchSink } from '../../src/streams/watcher.js';
import { applyTo, makeHistory } from '../support/history.js';

const STEPS = makeHistory(200);

class Sink implements WatchSink {
  room = Infinity;
  readonly seqs: number[] = [];
  readonly pieces: Uint8Array[] = [];
  stateSeq = 0;
  hash: string | undefined;
  flushes = 0;
  ended: Failure | undefined;

  get ready(): boolean {
    return this.room > 0;
  }

  get idle(): boolean {
    return true;
  }

  state(seq: number, piece: Uint8Array, hash: string | undefined): void {
    this.room--;
    this.stateSeq = seq;
    this.pieces.push(piece);
    this.hash = hash;
  }

  delta(delta: TailDelta): void {
    this.room--;
    this.seqs.push(delta.seq);
    assert.equal(recordOf(delta).seq, delta.seq);
  }

  composed(): void {
    assert.fail('who wants every delta gets them one by one');
  }

  progress(): void {
    assert.fail('only watches with pointers get marks');
  }

  flush(): void {
    this.flushes++;
  }

  end(why: Failure): void {
    this.ended = why;
  }
}

/** A watcher of a document whose deltas leave the tail when the bench says so. */
class Bench {
  readonly sink = new Sink();
  readonly local = new LocalDocument('log', 'a', new Uint8Array(0));
  readonly watcher: Watcher;
  hungry = 0;
  failed: Failure | undefined;
  /** Reads that were asked for and not answered. */
  readonly reads: Array<() => void> = [];

  /** Of what comes after `atSeq`, `proposed` deltas are proposed when the watch begins. */
  constructor(afterSeq: number | undefined, atSeq = 0, proposed = 0) {
    const root = atSeq === 0 ? null : STEPS[atSeq - 1]!.root;
    const document = new Document({ seq: atSeq, root });
    for (const step of STEPS.slice(atSeq, atSeq + proposed)) document.propose(step.root);
    this.local.loaded(document, 0);
    this.watcher = new Watcher({
      sink: this.sink,
      local: this.local,
      afterSeq,
      readDeltas: (fromSeq, done) => void this.reads.push(() => done(this.#stored(fromSeq))),
      pieceBytesMax: 64,
      hungry: () => this.hungry++,
      failed: (why) => {
        this.failed = why;
      },
    });
  }

  apply(count: number): void {
    for (let left = count; left > 0; left--) {
      applyTo(this.local, STEPS[this.local.seq]!.record);
    }
  }

  #stored(fromSeq: number): ReadDeltas {
    const end = Math.min(fromSeq + 4, this.watcher.local.seq);
    const steps = STEPS.slice(fromSeq - 1, end);
    const deltas = steps.map(({ bytes }, offset) => storedDelta(fromSeq + offset, bytes));
    return { kind: 'deltas', deltas };
  }
}

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

test('a watch begins with the state in pieces, the hash with the last, then come the deltas', () => {
  const bench = new Bench(undefined, 50);
  bench.apply(2);
  bench.watcher.pump(2 ** 20);
  const { sink } = bench;
  assert.ok(sink.pieces.length > 3);
  const builder = new PieceBuilder({ depthMax: 100 });
  for (const piece of sink.pieces) builder.add(parsePiece(piece, { depthMax: 100 }));
  assert.equal(hashText(builder.finish()), STEPS[sink.stateSeq - 1]!.record.hash);
  assert.equal(sink.hash, STEPS[49]!.record.hash);
  assert.deepEqual(sink.seqs, [51, 52]);
  assert.equal(sink.flushes, 1);
});

test('a watch begins with what is committed, not with what is proposed (CommittedOnly)', () => {
  const { watcher, sink } = new Bench(undefined, 50, 2);
  watcher.pump(2 ** 20);
  assert.deepEqual([sink.stateSeq, sink.hash], [50, STEPS[49]!.record.hash]);
});

test('a watch from a seq gives no state, and what has left memory from the disk', () => {
  const bench = new Bench(3, 0);
  bench.apply(20);
  bench.local.trimTail(15);
  bench.watcher.pump(2 ** 20);
  assert.deepEqual(bench.sink.seqs, []);
  while (bench.reads.length > 0) {
    bench.reads.shift()!();
    bench.watcher.pump(2 ** 20);
  }
  assert.deepEqual(bench.sink.seqs, upTo(20, 4));
  assert.equal(bench.sink.pieces.length, 0);
});

test('a watcher gives as much as it may, and asks for another turn', () => {
  const bench = new Bench(0, 0);
  bench.apply(100);
  const given = bench.watcher.pump(1000);
  assert.ok(given >= 1000 && given < 2000);
  assert.equal(bench.hungry, 1);
  assert.ok(bench.sink.seqs.length < 10);
});

test('a slow consumer gets what it has room for, and nothing is kept for it', () => {
  const bench = new Bench(0, 0);
  bench.apply(40);
  bench.local.trimTail(40);
  bench.sink.room = 2;
  bench.watcher.pump(2 ** 20);
  bench.reads.shift()!();
  bench.watcher.pump(2 ** 20);
  assert.deepEqual(bench.sink.seqs, [1, 2]);
  bench.watcher.pump(2 ** 20);
  assert.deepEqual(bench.sink.seqs, [1, 2]);
  bench.sink.room = Infinity;
  bench.watcher.pump(2 ** 20);
  assert.equal(bench.reads.length, 1, 'what was read and not taken is read again');
});

test('whatever room, trimming and disk do, a watch has no gap and no repeat (CommittedOnly)', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = makePrng(seed);
    const bench = new Bench(0, 0);
    for (let step = 0; step < 100; step++) {
      const choice = random.below(5);
      if (choice === 0) bench.apply(Math.min(random.below(5), 199 - bench.local.seq));
      else if (choice === 1) bench.local.trimTail(random.below(bench.local.seq + 1));
      else if (choice === 2) bench.reads.shift()?.();
      else if (choice === 3) bench.sink.room = random.below(8);
      else bench.watcher.pump(random.below(2000) + 1);
    }
    bench.sink.room = Infinity;
    bench.watcher.pump(2 ** 30);
    while (bench.reads.length > 0) {
      bench.reads.shift()!();
      bench.watcher.pump(2 ** 30);
    }
    assert.deepEqual(bench.sink.seqs, upTo(bench.local.seq), `seed ${seed}`);
  }
});

test('a watch goes on behind a document that took its place', () => {
  const bench = new Bench(0, 0);
  bench.apply(5);
  bench.watcher.pump(2 ** 20);
  const other = new LocalDocument('log', 'a', new Uint8Array(0));
  bench.watcher.moveTo(other);
  bench.watcher.pump(2 ** 20);
  assert.equal(bench.reads.length, 0, 'it is not known yet how far the other is');
  other.loaded(new Document({ seq: 9, root: STEPS[8]!.root }), 0);
  bench.watcher.pump(2 ** 20);
  bench.reads.shift()!();
  bench.watcher.pump(2 ** 20);
  assert.deepEqual(bench.sink.seqs, upTo(9));
});

test('a watch that ended gives nothing more, whatever is still being read', () => {
  const bench = new Bench(0, 0);
  bench.apply(5);
  bench.local.trimTail(5);
  bench.watcher.pump(2 ** 20);
  bench.watcher.end(failure('UNAVAILABLE', 'it stops'));
  bench.watcher.end(failure('UNAVAILABLE', 'again'));
  bench.reads.shift()!();
  bench.watcher.pump(2 ** 20);
  assert.deepEqual(bench.sink.seqs, []);
  assert.equal(bench.sink.ended?.message, 'it stops');
  assert.equal(bench.hungry, 0);
});
