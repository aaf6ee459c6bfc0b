import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltasWriter, decodeCommand, decodeRecord, recordAt } from '@deltabase/machine';
import { recordOf, Tail } from '../../src/documents/tail.js';
import { makeHistory, placeOf } from '../support/history.js';

const STEPS = makeHistory(8);

/** A tail of the deltas that make `first` to `last`. */
function tailOf(first: number, last: number): Tail {
  const tail = new Tail();
  for (const { record } of STEPS.slice(first - 1, last)) {
    const { entry, offset } = placeOf(record);
    tail.push(record.seq, entry, offset);
  }
  return tail;
}

test('a tail gives any delta in it, and no other', () => {
  const tail = tailOf(3, 6);
  assert.deepEqual([tail.length, tail.lastSeq], [4, 6]);
  assert.equal(tail.find(2), undefined);
  assert.equal(tail.find(7), undefined);
  for (const seq of [3, 4, 5, 6]) {
    assert.equal(recordOf(tail.find(seq)!).seq, seq);
    assert.ok(Buffer.from(tail.find(seq)!.bytes).equals(STEPS[seq - 1]!.bytes));
  }
});

test('everyone who looks at a delta sees the same one: what is kept with it is shared', () => {
  const tail = tailOf(1, 4);
  const delta = tail.find(3)!;
  delta.encoded = 'by a transport';
  assert.equal(tail.find(3), delta);
  tail.trim(2);
  assert.equal(tail.find(3), delta);
  tail.trim(3);
  assert.equal(tail.find(3), undefined);
});

test('a tail lets go of what is durable, and goes on behind it', () => {
  const tail = tailOf(2, 5);
  tail.trim(1);
  assert.equal(tail.length, 4);
  tail.trim(3);
  assert.deepEqual([tail.find(3), tail.find(4)?.seq, tail.lastSeq], [undefined, 4, 5]);
  tail.trim(9);
  assert.deepEqual([tail.length, tail.lastSeq, tail.find(5)], [0, 0, undefined]);
  const { entry, offset } = placeOf(STEPS[6]!.record);
  tail.push(7, entry, offset);
  assert.equal(tail.find(7)!.seq, 7);
});

test('a tail has no holes', () => {
  const { entry, offset } = placeOf(STEPS[5]!.record);
  assert.throws(() => tailOf(1, 4).push(6, entry, offset), /no holes/);
});

test('a range of a tail ends where either ends', () => {
  const tail = tailOf(3, 6);
  const seqs = (after: number, max: number): number[] =>
    tail.between(after, max).map(({ seq }) => seq);
  assert.deepEqual(seqs(0, 9), [3, 4, 5, 6]);
  assert.deepEqual(seqs(3, 5), [4, 5]);
  assert.deepEqual(seqs(6, 9), []);
  assert.deepEqual([tail.firstSeq, tail.lastSeq], [3, 6]);
  const writer = new DeltasWriter();
  for (const seq of [4, 5]) tail.copyTo(writer, seq);
  const copied = writer.finish();
  const command = decodeCommand(copied);
  assert.ok(command.kind === 'deltas');
  assert.deepEqual(
    command.offsets.map((offset) => decodeRecord(recordAt(copied, offset)).seq),
    [4, 5],
  );
  assert.equal(new Tail().find(0), undefined);
});
