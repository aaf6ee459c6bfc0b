import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashText } from '@deltabase/delta';
import { storedDelta, type TailDelta } from '../../src/documents/tail.js';
import { LiveCopy, type Taken } from '../../src/replica/live-copy.js';
import { failure } from '../../src/results.js';
import { statePieces } from '../../src/streams/state-pieces.js';
import { makeHistory, type Step } from '../support/history.js';
import { makeRandomHistory } from '../support/random-history.js';

const STEPS = makeHistory(20);

function deltaOf({ record, bytes }: Step): TailDelta {
  return storedDelta(record.seq, bytes);
}

/** Takes the whole state that a step makes; returns what became of each piece. */
function takeState(copy: LiveCopy, { record: { seq }, root }: Step, pieceBytesMax = 1000): Taken[] {
  const all = [...statePieces({ seq, root }, pieceBytesMax)];
  return all.map(({ piece, hash }) => copy.takePiece(seq, piece, hash));
}

/** A copy with the state that step `at` makes. */
function copyAt(at: number): LiveCopy {
  const copy = new LiveCopy('log', 'a', 10_000);
  assert.equal(takeState(copy, STEPS[at - 1]!).at(-1), 'taken');
  return copy;
}

test('a state comes piece by piece and is there once it is whole', () => {
  const copy = new LiveCopy('log', 'a', 1000);
  const taken = takeState(copy, STEPS[19]!, 16);
  assert.ok(taken.length > 3);
  assert.deepEqual(new Set(taken.slice(0, -1)), new Set(['begun']));
  assert.equal(taken.at(-1), 'taken');
  assert.equal(copy.seq, 20);
  assert.equal(hashText(copy.document!.committed.root), STEPS[19]!.record.hash);
});

test('a state under a hash that is not its own is not taken (StateIsFold)', () => {
  const copy = copyAt(3);
  const [piece] = [...statePieces({ seq: 9, root: STEPS[8]!.root }, 10_000)];
  assert.equal(copy.takePiece(9, piece!.piece, STEPS[7]!.record.hash), 'unfit');
  assert.equal(copy.seq, 3);
  assert.deepEqual(takeState(copy, STEPS[8]!), ['taken'], 'nothing of it is left');
});

test('bytes that are no piece are not taken, and nothing of the state before them is left', () => {
  const copy = new LiveCopy('log', 'a', 1000);
  const [first] = [...statePieces({ seq: 20, root: STEPS[19]!.root }, 16)];
  assert.equal(copy.takePiece(20, first!.piece, undefined), 'begun');
  assert.equal(copy.takePiece(20, new TextEncoder().encode('no piece'), undefined), 'unfit');
  assert.equal(takeState(copy, STEPS[4]!).at(-1), 'taken');
});

test('a state that was cut off is begun anew', () => {
  const copy = new LiveCopy('log', 'a', 1000);
  const [first] = [...statePieces({ seq: 20, root: STEPS[19]!.root }, 16)];
  copy.takePiece(20, first!.piece, undefined);
  copy.forgetPieces();
  assert.equal(takeState(copy, STEPS[19]!, 16).at(-1), 'taken');
});

test('deltas are folded, in order and once, and each is held against its hash (StateIsFold)', () => {
  for (const steps of [STEPS, makeRandomHistory(3, 60)]) {
    const copy = new LiveCopy('log', 'a', 100_000);
    takeState(copy, steps[0]!);
    for (const step of steps.slice(1)) {
      assert.equal(copy.takeDelta(deltaOf(step)), 'taken');
      assert.equal(copy.seq, step.record.seq);
      assert.equal(hashText(copy.document!.committed.root), step.record.hash);
      assert.equal(copy.tail.find(step.record.seq)?.seq, step.record.seq);
    }
  }
});

test('a delta that was here already changes nothing', () => {
  const copy = copyAt(5);
  copy.takeDelta(deltaOf(STEPS[5]!));
  const { bytes, appliedBytes } = copy;
  for (const seq of [1, 5, 6]) assert.equal(copy.takeDelta(deltaOf(STEPS[seq - 1]!)), 'taken');
  assert.deepEqual([copy.seq, copy.bytes, copy.appliedBytes], [6, bytes, appliedBytes]);
});

test('what does not follow is not taken: behind a gap, before a state, with another hash, as no patch', () => {
  const copy = copyAt(5);
  assert.equal(copy.takeDelta(deltaOf(STEPS[6]!)), 'unfit');
  const [sixth, other] = [deltaOf(STEPS[5]!), deltaOf(STEPS[5]!)];
  const { record } = STEPS[5]!;
  other.record = { ...record, hash: STEPS[6]!.record.hash };
  assert.equal(copy.takeDelta(other), 'unfit');
  other.record = { ...record, patch: new TextEncoder().encode('[{"op":"remove","path":"/x"}]') };
  assert.equal(copy.takeDelta(other), 'unfit');
  assert.equal(new LiveCopy('log', 'a', 1000).takeDelta(deltaOf(STEPS[0]!)), 'unfit');
  assert.equal(copy.seq, 5);
  assert.equal(copy.takeDelta(sixth), 'taken');
});

test('another state ends what its deltas lead from: none of them stays', () => {
  const copy = copyAt(5);
  copy.takeDelta(deltaOf(STEPS[5]!));
  takeState(copy, STEPS[9]!);
  assert.equal(copy.seq, 10);
  for (let seq = 1; seq <= 10; seq++) assert.equal(copy.tail.find(seq), undefined, String(seq));
  assert.equal(copy.takeDelta(deltaOf(STEPS[10]!)), 'taken');
});

test('the same state again leaves its deltas to whoever lags', () => {
  const copy = copyAt(5);
  copy.takeDelta(deltaOf(STEPS[5]!));
  takeState(copy, STEPS[5]!);
  assert.equal(copy.tail.find(6)?.seq, 6);
});

test('it counts its state and its deltas', () => {
  const copy = new LiveCopy('log', 'a', 10_000);
  const empty = copy.bytes;
  takeState(copy, STEPS[9]!);
  const withState = copy.bytes;
  assert.ok(withState >= empty + JSON.stringify({ t1: 1 }).length * 8);
  copy.takeDelta(deltaOf(STEPS[10]!));
  assert.ok(copy.bytes > withState + STEPS[10]!.bytes.length);
});

test('whoever waits is told once, that the state has come or why it will not', () => {
  const copy = new LiveCopy('log', 'a', 1000);
  const told: Array<string | undefined> = [];
  copy.waiting.push((why) => told.push(why?.code));
  assert.throws(() => copy.settle(undefined), /loaded once it has a state/);
  copy.settle(failure('UNAVAILABLE', 'no'));
  copy.waiting.push((why) => told.push(why?.code));
  takeState(copy, STEPS[0]!);
  copy.settle(undefined);
  copy.settle(undefined);
  assert.deepEqual(told, ['UNAVAILABLE', undefined]);
});

test('it is idle while nobody watches it, waits for it or has it held', () => {
  const copy = copyAt(1);
  assert.ok(copy.isIdle);
  copy.watches++;
  assert.ok(!copy.isIdle);
  copy.watches--;
  copy.waiting.push(() => {});
  assert.ok(!copy.isIdle);
  copy.settle(undefined);
  copy.isHeld = true;
  assert.ok(!copy.isIdle);
});
