import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalDocument } from '../../src/documents/local-document.js';
import { failure } from '../../src/results.js';
import { SeqWaiters } from '../../src/streams/seq-waiters.js';
import { applyTo, makeHistory } from '../support/history.js';

const STEPS = makeHistory(5);

function setUp() {
  const waiters = new SeqWaiters();
  const local = new LocalDocument('log', 'a', new Uint8Array(0));
  const told: string[] = [];
  const add = (seq: number, expiresMs = 1000) =>
    waiters.add(local, { seq, expiresMs }, (outcome) => {
      told.push(`${seq} ${typeof outcome === 'string' ? outcome : outcome.code}`);
    });
  const apply = (seq: number): void => {
    applyTo(local, STEPS[seq - 1]!.record);
    waiters.changed(local);
  };
  return { waiters, local, told, add, apply };
}

test('whoever waits for a seq is told when the document has it, once', () => {
  const { local, told, add, apply } = setUp();
  add(3);
  add(2);
  add(9);
  apply(1);
  assert.deepEqual(told, []);
  apply(2);
  assert.deepEqual(told, ['2 reached']);
  apply(3);
  apply(4);
  assert.deepEqual(told, ['2 reached', '3 reached']);
  assert.equal(local.watches, 1);
});

test('a document that is waited for stays in memory, and no longer', () => {
  const { waiters, local, add } = setUp();
  add(3, 100);
  add(4, 200);
  assert.equal(local.watches, 2);
  waiters.expire(100);
  assert.equal(local.watches, 1);
  waiters.expire(200);
  assert.equal(local.watches, 0);
});

test('nobody waits beyond its time', () => {
  const { waiters, told, add } = setUp();
  add(3, 100);
  add(4, 200);
  waiters.expire(99);
  assert.deepEqual(told, []);
  waiters.expire(100);
  assert.deepEqual(told, ['3 expired']);
});

test('where nothing more comes whoever waits is told why, and the document is waited for no more', () => {
  const { waiters, local, told, add } = setUp();
  add(3);
  add(4);
  waiters.fail(failure('UNAVAILABLE', 'nothing more comes'));
  assert.deepEqual(told, ['3 UNAVAILABLE', '4 UNAVAILABLE']);
  assert.equal(local.watches, 0);
});

test('a document that was replaced by a snapshot’s sends its waiters there', () => {
  const { waiters, local, told, add } = setUp();
  add(3);
  add(4);
  waiters.replaced(local);
  assert.deepEqual(told, ['3 replaced', '4 replaced']);
  assert.equal(local.watches, 0);
});
