// Reads that are given up, wherever they wait. What reads give is tested in whole clusters (test/whole/reads.test.ts).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import type { Expiring } from '../../src/expiring.js';
import { failure } from '../../src/results.js';
import { beginInTurn } from '../../src/streams/begin-in-turn.js';
import type { DocumentSource, StreamedDocument } from '../../src/streams/document-source.js';
import { type OpenRead, type ReadMode, Reads } from '../../src/streams/reads.js';
import { TurnLoop } from '../../src/turn-loop.js';
import { makeHistory } from '../support/history.js';
import { ManualClock } from '../support/manual-clock.js';

const STEPS = makeHistory(5);

/** One document, whose leader answers and whose state comes when the bench says so. */
class Bench {
  readonly told: string[] = [];
  readonly confirms: Array<Expiring & { readonly done: (reached: boolean) => void }> = [];
  readonly loads: Array<(loaded: StreamedDocument) => void> = [];
  readonly local: StreamedDocument;
  readonly reads: Reads;
  readonly #source: DocumentSource;

  constructor(seq: number) {
    const { root } = STEPS[seq - 1]!;
    this.local = {
      ...{ space: 'log', key: 'a', seq, document: { committed: { seq, root } } },
      ...{ tail: { find: () => undefined }, appliedBytes: 0, watches: 0, observer: undefined },
    };
    this.reads = new Reads({
      limits: { ...DEFAULT_LIMITS, readQueueMax: 1 },
      heat: { read: () => this.told.push('heat') } as never,
      shedding: { refusal: () => undefined },
      nowMs: () => 1000,
      wake() {},
    });
    const source: Partial<DocumentSource> = {
      freshMs: Number.NEGATIVE_INFINITY,
      refusal: () => undefined,
      confirm: (expiresMs, done) => {
        const confirm = { expiresMs, done };
        this.confirms.push(confirm);
        return confirm;
      },
      load: (then) => void this.loads.push(then),
      find: () => this.local,
    };
    this.#source = source as DocumentSource;
  }

  begin(name: string, mode: ReadMode = { kind: 'linearizable' }): OpenRead {
    const request = { space: 'log', key: 'a', pointer: '', mode, atSeq: undefined };
    const begun = this.reads.begin(this.#source, { ...request, expiresMs: 5000 }, (result) => {
      this.told.push(`${name} ${result.kind === 'value' ? result.seq : result.code}`);
    });
    assert.ok(!('code' in begun), JSON.stringify(begun));
    return begun;
  }

  load(): void {
    for (const then of this.loads.splice(0)) then(this.local);
  }

  /** What may still be told is told; that another read has room shows that none is counted that was given up. */
  end(): void {
    for (const { done } of this.confirms.splice(0)) done(true);
    this.load();
    this.reads.turn();
    this.reads.tick(4999);
    assert.equal(this.reads.openCount, 0);
    this.begin('next', { kind: 'stale' });
    this.load();
    this.reads.turn();
    assert.deepEqual(this.told, ['next 2', 'heat']);
  }
}

test('a read that waits for the word of the leader is given up, and so is its wait', () => {
  const bench = new Bench(2);
  bench.begin('given').cancel();
  assert.equal(bench.confirms[0]!.expiresMs, Number.NEGATIVE_INFINITY);
  assert.equal(bench.reads.openCount, 1, 'what holds it takes room until it lets go');
  bench.end();
});

test('a read is given up whose document comes into memory', () => {
  const bench = new Bench(2);
  const given = bench.begin('given');
  bench.confirms.shift()!.done(true);
  assert.equal(bench.loads.length, 1);
  given.cancel();
  given.cancel();
  assert.equal(bench.reads.openCount, 1, 'what holds it takes room until it lets go');
  bench.end();
});

test('a read is given up that is about to be answered', () => {
  const bench = new Bench(2);
  const given = bench.begin('given', { kind: 'stale' });
  bench.load();
  given.cancel();
  bench.end();
});

test('a read that waits for a seq is given up, and keeps the document in memory no longer than to the next tick', () => {
  const bench = new Bench(2);
  const given = bench.begin('given', { kind: 'atLeast', seq: 3 });
  bench.load();
  bench.reads.turn();
  assert.equal(bench.local.watches, 1);
  given.cancel();
  bench.reads.tick(1000);
  assert.equal(bench.local.watches, 0);
  bench.end();
});

test('to give up a read that was answered does nothing', () => {
  const bench = new Bench(2);
  const given = bench.begin('given', { kind: 'stale' });
  bench.load();
  bench.reads.turn();
  assert.deepEqual(bench.told.splice(0), ['given 2', 'heat']);
  given.cancel();
  bench.end();
});

test('a read that is given up before its turn does not begin', () => {
  const clock = new ManualClock();
  const loop = new TurnLoop(clock, () => {});
  const told: string[] = [];
  const read = (name: string): OpenRead =>
    beginInTurn(loop, (result) => told.push(`${name} ${result.kind}`), {
      begin() {
        told.push(`${name} begins`);
        return { cancel: () => told.push(`${name} is given up`) };
      },
      stopping: () => failure('UNAVAILABLE', 'it stops'),
    });
  read('early').cancel();
  const late = read('late');
  clock.settle();
  late.cancel();
  assert.deepEqual(told.splice(0), ['late begins', 'late is given up']);
  read('given').cancel();
  read('open');
  loop.stop();
  assert.deepEqual(told, ['open failed']);
});
