import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import type { DocumentStreams, ReadMode, ReadResult } from '@deltabase/engine';
import { DeltasWriter } from '@deltabase/machine';
import type { Entry } from 'raft-ts';
import { CommitTimes, Freshness, NodeClock, type Server, Simulation } from '../../src/index.js';

/** An entry of a group's log with the deltas that make these seqs of a document. */
function entryOf(index: number, key: string, seqs: readonly number[]): Entry {
  const writer = new DeltasWriter();
  for (const seq of seqs) writer.add(recordOf(key, seq));
  return { index, term: 1, type: 'normal', data: writer.finish().slice() };
}

function recordOf(key: string, seq: number) {
  return {
    ...{ space: 'log', key, seq, session: 'c', openedAt: 1, number: seq, settled: 1 },
    ...{ principal: 'p', channel: 'c', payload: new Uint8Array(1), time: 1, seed: 1, version: 1 },
    ...{ patch: new Uint8Array(2), reply: undefined, effects: [], fuel: 1, hash: '0'.repeat(16) },
    snapshotAdvised: false,
  };
}

/** A document whose seq n was committed at n × 100 ms, as far as that has come. */
class Bench {
  readonly simulation = new Simulation(1);
  readonly clock = new NodeClock(this.simulation);
  readonly times = new CommitTimes(() => this.simulation.nowMs);
  readonly freshness = new Freshness(this.times, () => this.simulation.nowMs);
  readonly #entries: Array<Entry | undefined> = [];
  readonly #server: Server = {
    ...{ name: 'r1', kind: 'replica', address: 'r1:1', clock: this.clock, isGone: false },
    streams: {} as DocumentStreams,
    limits: DEFAULT_LIMITS,
  };

  constructor(seqs: number) {
    for (let seq = 1; seq <= seqs; seq++) this.commit(seq);
  }

  commit(seq: number): void {
    this.simulation.runFor(100);
    this.#entries.push(entryOf(this.#entries.length + 1, 'k', [seq]));
    this.times.committed(1, this.#entries);
  }

  /** A read that was asked for so long ago and is answered now. */
  answer(
    mode: ReadMode,
    seq: number,
    { askedMs = 0, stalenessMs = undefined as number | undefined } = {},
  ): void {
    const question = this.freshness.ask(this.#server, 'log', 'k');
    this.simulation.runFor(askedMs);
    const value = new Uint8Array(0);
    const result: ReadResult = { kind: 'value', seq, hash: '', value, stalenessMs };
    this.freshness.checkRead(question, mode, seq, result);
  }

  state(seq: number): void {
    this.freshness.checkState(this.freshness.ask(this.#server, 'log', 'k'), seq);
  }
}

test('what was committed when is known for each document, entry by entry', () => {
  const { times } = new Bench(3);
  const before = (ms: number): number => times.seqBefore('log', 'k', ms);
  assert.deepEqual([50, 100, 101, 250, 300, 10_000].map(before), [0, 0, 1, 2, 2, 3]);
  assert.equal(times.seqBefore('log', 'other', 10_000), 0);
});

test('seqs whose entries nobody has any more were committed by the next one', () => {
  const simulation = new Simulation(1);
  const times = new CommitTimes(() => simulation.nowMs);
  const entries: Array<Entry | undefined> = [entryOf(1, 'k', [1]), undefined];
  times.committed(1, entries);
  simulation.runFor(10);
  times.committed(1, [...entries, entryOf(3, 'k', [4, 5])]);
  assert.deepEqual(
    [1, 11].map((ms) => times.seqBefore('log', 'k', ms)),
    [1, 5],
  );
});

test('a linearizable read that misses what was committed before it was asked for is found', () => {
  const bench = new Bench(5);
  bench.simulation.runFor(1);
  bench.answer({ kind: 'linearizable' }, 5);
  assert.throws(
    () => bench.answer({ kind: 'linearizable' }, 4),
    /r1 shows k at 4.*5 was committed/,
  );
});

test('a stale read that is older than was asked for is found', () => {
  const bench = new Bench(5);
  bench.answer({ kind: 'stale', withinMs: 250 }, 2);
  assert.throws(() => bench.answer({ kind: 'stale', withinMs: 150 }, 2), /not older than 150 ms/);
  // It counts from the question on.
  bench.answer({ kind: 'stale', withinMs: 250 }, 2, { askedMs: 400 });
});

test('a staleness that is not true is found', () => {
  const bench = new Bench(5);
  bench.answer({ kind: 'stale' }, 3, { stalenessMs: 150 });
  assert.throws(
    () => bench.answer({ kind: 'stale' }, 3, { stalenessMs: 50 }),
    /said to be 50 ms old/,
  );
  assert.throws(() => bench.answer({ kind: 'stale' }, 5, { stalenessMs: -1 }), /a staleness of -1/);
});

test('how old something is counts by the clock of the process that says it', () => {
  const bench = new Bench(2);
  bench.clock.rate = 2;
  bench.commit(3);
  // Seq 3 was committed at this moment, and 100 ms ago the clock showed 200 less.
  bench.answer({ kind: 'stale' }, 2, { stalenessMs: 1 });
  bench.simulation.runFor(100);
  bench.answer({ kind: 'stale' }, 2, { stalenessMs: 201 });
  assert.throws(() => bench.answer({ kind: 'stale' }, 2, { stalenessMs: 190 }), /190 ms old/);
  assert.throws(() => bench.answer({ kind: 'stale', withinMs: 190 }, 2), /than 190 ms/);
});

test('a watch that begins with an older state than there was is found', () => {
  const bench = new Bench(5);
  bench.simulation.runFor(1);
  bench.state(5);
  assert.throws(() => bench.state(4), /the state of a watch/);
});
