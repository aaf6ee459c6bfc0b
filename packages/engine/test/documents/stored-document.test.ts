import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePiece, hashText, pieces } from '@deltabase/delta';
import { decodeRecord } from '@deltabase/machine';
import { FOLD_BYTES } from '../../src/documents/local-document.js';
import {
  encodeSnapshotPiece,
  loadDocument,
  readDeltas,
} from '../../src/documents/stored-document.js';
import type { DiskOperation } from '../../src/ports.js';
import { chunkKey, documentPrefix, pieceKey } from '../../src/storage/keys.js';
import { bytes, hex, own } from '../support/bytes.js';
import { del, promptDisk, put, resultOf } from '../support/disk.js';
import { bytesIn, chunkOf, makeHistory } from '../support/history.js';

const PREFIX = documentPrefix(1, 1, 'log', 'a');
const STEPS = makeHistory(20);
/** Where each chunk of history begins. */
const CHUNKS = [1, 4, 9, 15, 21];

function chunk(from: number, to: number): DiskOperation {
  return put(chunkKey(PREFIX, from), chunkOf(STEPS.slice(from - 1, to - 1)));
}

/** A snapshot at `seq`, in pieces of a few members. */
function snapshot(seq: number, changes: { hash?: string } = {}): DiskOperation[] {
  const { root } = STEPS[seq - 1]!;
  const all = [...pieces(root, 24)];
  return all.map((piece, number) => {
    const hash = number === all.length - 1 ? (changes.hash ?? hashText(root)) : undefined;
    const value = own(encodeSnapshotPiece(encodePiece(piece), hash));
    return put(pieceKey(PREFIX, seq, number), value);
  });
}

function wholeHistory(): DiskOperation[] {
  return CHUNKS.slice(0, -1).map((from, at) => chunk(from, CHUNKS[at + 1]!));
}

function chunkIn(row: DiskOperation): Uint8Array {
  assert.ok(row.kind === 'put');
  return row.value;
}

function load(operations: readonly DiskOperation[], seqMax?: number) {
  return resultOf(loadDocument(promptDisk(operations), PREFIX, seqMax));
}

test('a piece of a snapshot has the bytes that data directories of version 1 hold', () => {
  const piece = encodeSnapshotPiece(bytes('["",{}]'), undefined);
  assert.equal(hex(piece), '9301c0c4075b22222c7b7d5d');
  const last = encodeSnapshotPiece(bytes('["",1]'), '00ff');
  assert.equal(hex(last), '9301a430306666c4065b22222c315d');
});

test('a document that was never written is at seq 0', () => {
  assert.deepEqual(load([]), { seq: 0, root: null, bytesSinceSnapshot: 0 });
});

test('a document is the fold of its chunks, at every seq (StateIsFold)', () => {
  const rows = wholeHistory();
  for (let seq = 1; seq <= 20; seq++) {
    const loaded = load(rows, seq);
    assert.equal(loaded.seq, seq);
    assert.equal(hashText(loaded.root), STEPS[seq - 1]!.record.hash);
  }
  const latest = load(rows);
  assert.equal(latest.seq, 20);
  assert.equal(
    latest.bytesSinceSnapshot,
    wholeHistory().reduce((sum, row) => sum + bytesIn(chunkIn(row)), 20 * FOLD_BYTES),
  );
});

test('a document is loaded from its newest whole snapshot and the chunks behind it', () => {
  const rows = [...wholeHistory(), ...snapshot(3), ...snapshot(8), ...snapshot(14)];
  // Nothing before the snapshot is needed.
  const needed = [
    ...rows,
    del(chunkKey(PREFIX, 1)),
    del(chunkKey(PREFIX, 4)),
    del(chunkKey(PREFIX, 9)),
  ];
  const loaded = load(needed);
  assert.equal(loaded.seq, 20);
  assert.equal(hashText(loaded.root), STEPS[19]!.record.hash);
  assert.equal(
    loaded.bytesSinceSnapshot,
    bytesIn(chunkIn(wholeHistory().at(-1)!)) + 6 * FOLD_BYTES,
  );
  assert.equal(hashText(load(rows, 10).root), STEPS[9]!.record.hash);
  assert.equal(hashText(load(rows, 8).root), STEPS[7]!.record.hash);
});

test('a snapshot whose end was never written is none: the one before it counts', () => {
  const cut = snapshot(14).slice(0, -1);
  assert.ok(cut.length >= 2);
  const loaded = load([...wholeHistory(), ...snapshot(8), ...cut]);
  assert.equal(loaded.seq, 20);
  assert.equal(hashText(loaded.root), STEPS[19]!.record.hash);
});

test('a missing chunk, delta or piece is damage (StateIsFold)', () => {
  const corrupt = { code: 'DATA_CORRUPT' };
  const rows = wholeHistory();
  assert.throws(() => load([...rows, del(chunkKey(PREFIX, 1))]), corrupt);
  assert.throws(() => load([...rows, del(chunkKey(PREFIX, 9))]), corrupt);
  assert.throws(() => load([...rows, chunk(4, 8)]), corrupt);
  const withSnapshot = [...rows, ...snapshot(14)];
  for (const number of [0, 1]) {
    assert.throws(() => load([...withSnapshot, del(pieceKey(PREFIX, 14, number))]), corrupt);
  }
  assert.throws(() => load([...withSnapshot, del(chunkKey(PREFIX, 15)), chunk(16, 21)]), corrupt);
});

test('a state that does not hash to what its leader made of it is damage (StateIsFold)', () => {
  const corrupt = { code: 'DATA_CORRUPT' };
  assert.throws(
    () => load([...wholeHistory(), ...snapshot(14, { hash: 'f'.repeat(16) })]),
    corrupt,
  );
  const wrong = makeHistory(20, { hash: 'f'.repeat(16) });
  const operation = put(chunkKey(PREFIX, 15), chunkOf(wrong.slice(14)));
  assert.throws(() => load([...wholeHistory(), operation]), corrupt);
  const unknown = put(pieceKey(PREFIX, 20, 0), bytes('?'));
  assert.throws(() => load([...wholeHistory(), unknown]), corrupt);
});

test('stored deltas are read from any seq on, a page at a time, without gap or repeat', () => {
  const disk = promptDisk(wholeHistory());
  for (let from = 1; from <= 20; from++) {
    const seqs: number[] = [];
    for (let next = from; next <= 20; ) {
      const page = resultOf(readDeltas(disk, PREFIX, next, 1));
      assert.ok(page.length > 0);
      seqs.push(...page.map((delta) => decodeRecord(delta).seq));
      next = seqs.at(-1)! + 1;
    }
    assert.deepEqual(
      seqs,
      Array.from({ length: 21 - from }, (_, at) => from + at),
    );
  }
  assert.equal(resultOf(readDeltas(disk, PREFIX, 2, 2 ** 20)).length, 19);
  assert.deepEqual(resultOf(readDeltas(disk, PREFIX, 21, 100)), []);
});

test('a part of the history that is not kept is answered, not skipped', () => {
  const disk = promptDisk([...wholeHistory(), del(chunkKey(PREFIX, 4))]);
  assert.throws(() => resultOf(readDeltas(disk, PREFIX, 5, 100)), { code: 'HISTORY_GONE' });
  const before = resultOf(readDeltas(disk, PREFIX, 2, 2 ** 20));
  assert.deepEqual(
    before.map((delta) => decodeRecord(delta).seq),
    [2, 3],
  );
});
