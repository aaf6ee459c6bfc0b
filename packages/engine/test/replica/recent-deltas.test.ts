import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import { storedDelta, type TailDelta } from '../../src/documents/tail.js';
import { RecentDeltas } from '../../src/replica/recent-deltas.js';

/** What one counts as beside its bytes. */
const OVERHEAD_BYTES = 200;

function delta(seq: number, bytes = 100): TailDelta {
  return storedDelta(seq, new Uint8Array(bytes));
}

function seqsIn(recent: RecentDeltas, last: number): number[] {
  const all = Array.from({ length: last + 2 }, (_, seq) => recent.find(seq)?.seq);
  return all.filter((seq) => seq !== undefined);
}

test('the newest deltas are found by their seqs, and no others', () => {
  const recent = new RecentDeltas(3 * (100 + OVERHEAD_BYTES));
  for (let seq = 5; seq <= 12; seq++) recent.push(delta(seq));
  assert.deepEqual(seqsIn(recent, 12), [10, 11, 12]);
  assert.equal(recent.bytes, 3 * (100 + OVERHEAD_BYTES));
});

test('the newest one stays, however large it is', () => {
  const recent = new RecentDeltas(500);
  recent.push(delta(1));
  recent.push(delta(2, 10_000));
  assert.deepEqual(seqsIn(recent, 2), [2]);
  recent.push(delta(3));
  assert.deepEqual(seqsIn(recent, 3), [3]);
});

test('what follows has no gap and no repeat (CommittedOnly)', () => {
  const recent = new RecentDeltas(1000);
  recent.push(delta(4));
  assert.throws(() => recent.push(delta(6)), /no gap/);
  assert.throws(() => recent.push(delta(4)), /no gap/);
});

test('with nothing left it goes on from anywhere', () => {
  const recent = new RecentDeltas(1000);
  recent.push(delta(4));
  recent.clear();
  assert.equal(recent.bytes, 0);
  assert.deepEqual(seqsIn(recent, 9), []);
  recent.push(delta(9));
  assert.deepEqual(seqsIn(recent, 9), [9]);
});

test('whatever comes, it holds the newest that fit, and counts them rightly', () => {
  const random = makePrng(7);
  for (let round = 0; round < 50; round++) {
    const bytesMax = random.below(5000);
    const recent = new RecentDeltas(bytesMax);
    const sizes: number[] = [];
    for (let seq = 1; seq <= 200; seq++) {
      sizes.push(random.below(400));
      recent.push(delta(seq, sizes.at(-1)!));
      let first = seq;
      let bytes = sizes[seq - 1]! + OVERHEAD_BYTES;
      while (first > 1 && bytes + sizes[first - 2]! + OVERHEAD_BYTES <= bytesMax) {
        first--;
        bytes += sizes[first - 1]! + OVERHEAD_BYTES;
      }
      assert.equal(recent.bytes, bytes);
      assert.equal(recent.find(first)?.seq, first);
      assert.equal(recent.find(first - 1), undefined);
      assert.equal(recent.find(seq)?.bytes.length, sizes[seq - 1]);
      assert.equal(recent.find(seq + 1), undefined);
    }
  }
});
