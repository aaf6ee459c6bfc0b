import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Document, hashText } from '@deltabase/delta';
import { FOLD_BYTES, LocalDocument } from '../../src/documents/local-document.js';
import { applyTo, bytesIn, chunkOf, makeHistory, seqsInTail } from '../support/history.js';

const STEPS = makeHistory(6);

function open(): LocalDocument {
  return new LocalDocument('log', 'a', new Uint8Array(0));
}

function apply(local: LocalDocument, ...seqs: number[]): void {
  for (const seq of seqs) applyTo(local, STEPS[seq - 1]!.record);
}

test('a copy that nobody reads keeps the deltas and does not look into them', () => {
  const local = open();
  applyTo(local, { ...STEPS[3]!.record, hash: 'f'.repeat(16) });
  apply(local, 5);
  assert.equal(local.document, undefined);
  assert.equal(local.seq, 5);
  assert.deepEqual(seqsInTail(local), [4, 5]);
});

test('a state that is loaded takes the tail along, and is the fold of its deltas (StateIsFold)', () => {
  const local = open();
  apply(local, 3, 4, 5);
  local.loaded(new Document({ seq: 3, root: STEPS[2]!.root }), 100);
  assert.equal(local.document!.committed.seq, 5);
  assert.equal(hashText(local.document!.committed.root), STEPS[4]!.record.hash);
  apply(local, 6);
  assert.equal(hashText(local.document!.committed.root), STEPS[5]!.record.hash);
});

test('a copy that differs from its leader by one delta is found out at once (StateIsFold)', () => {
  const local = open();
  local.loaded(new Document({ seq: 0, root: null }), 0);
  apply(local, 1);
  const wrong = { ...STEPS[1]!.record, patch: STEPS[2]!.record.patch };
  assert.throws(() => applyTo(local, wrong), /StateIsFold/);
});

test('a delta is applied once, and none may be missing (CommittedOnly)', () => {
  const local = open();
  apply(local, 1, 2);
  assert.equal(applyTo(local, STEPS[1]!.record), false);
  assert.equal(local.tail.length, 2);
  assert.throws(() => apply(local, 4), /no gap/);
});

test('what this node proposed itself is committed as it stands', () => {
  const local = open();
  local.loaded(new Document({ seq: 0, root: null }), 0);
  const document = local.document!;
  document.propose(STEPS[0]!.root);
  document.endEntry();
  document.propose(STEPS[1]!.root);
  document.endEntry();
  apply(local, 1);
  assert.equal(document.committed.root, STEPS[0]!.root);
  assert.equal(document.inFlight, 1);
});

test('deltas of one entry count one by one, and their states become readable together', () => {
  const local = open();
  local.loaded(new Document({ seq: 0, root: null }), 0);
  const document = local.document!;
  document.propose(STEPS[0]!.root);
  document.propose(STEPS[1]!.root);
  document.endEntry();
  apply(local, 1);
  assert.deepEqual([local.seq, document.committed.root], [1, null]);
  apply(local, 2);
  assert.deepEqual([local.seq, document.committed.root], [2, STEPS[1]!.root]);
  apply(local, 3);
  assert.equal(hashText(document.committed.root), STEPS[2]!.record.hash);
});

test('while a state is being loaded the tail stays: the load may have read the disk before it', () => {
  const local = open();
  apply(local, 1, 2);
  local.loading = [];
  local.trimTail(2);
  assert.equal(local.tail.length, 2);
});

test('a document that something needs does not leave memory', () => {
  const local = open();
  assert.ok(local.isIdle);
  local.watches = 1;
  assert.ok(!local.isIdle);
  local.watches = 0;
  local.parked = true;
  assert.ok(!local.isIdle);
  local.parked = false;
  local.loaded(new Document({ seq: 0, root: null }), 0);
  local.document!.propose(STEPS[0]!.root);
  assert.ok(!local.isIdle);
  apply(local, 1);
  assert.ok(!local.isIdle);
  local.trimTail(1);
  assert.ok(local.isIdle);
});

test('bytes since the last snapshot count from the delta that advised it', () => {
  const local = open();
  local.loaded(new Document({ seq: 0, root: null }), 1000);
  apply(local, 1);
  assert.equal(local.bytesSinceSnapshot, 1000 + FOLD_BYTES + bytesIn(chunkOf(STEPS.slice(0, 1))));
  applyTo(local, { ...STEPS[1]!.record, snapshotAdvised: true });
  assert.equal(local.bytesSinceSnapshot, 0);
  assert.ok(local.snapshotDue);
});
