import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { LocalDocument } from '../../src/documents/local-document.js';
import { Backlog } from '../../src/groups/backlog.js';
import type { Submission } from '../../src/results.js';
import { sampleMessage } from '../support/samples.js';
import { RecordingSink } from '../support/sink.js';

const SINK = new RecordingSink();

function submission(tag: number, bytes = 10, expiresMs = 1000): Submission {
  return { message: sampleMessage({ payload: new Uint8Array(bytes) }), sink: SINK, tag, expiresMs };
}

function document(key: string): LocalDocument {
  return new LocalDocument('log', key, new Uint8Array(0));
}

function setUp({ groupQueueMax = 100, uncommittedBytesMax = 10_000 } = {}) {
  return new Backlog({ ...DEFAULT_LIMITS, groupQueueMax, uncommittedBytesMax });
}

function takeAll(backlog: Backlog): number[] {
  const tags: number[] = [];
  for (let next = backlog.next(); next !== undefined; next = backlog.next()) tags.push(next.tag);
  return tags;
}

test('a backlog is bounded by count, and those set aside count too', () => {
  const backlog = setUp({ groupQueueMax: 3 });
  for (const tag of [1, 2, 3]) assert.ok(backlog.push(submission(tag)));
  assert.ok(!backlog.push(submission(4)));
  backlog.aside(document('a'), backlog.next()!);
  assert.equal(backlog.count, 3);
  assert.ok(!backlog.push(submission(4)));
  backlog.next();
  assert.ok(backlog.push(submission(4)));
});

test('a backlog is bounded by bytes, but one message always fits', () => {
  const backlog = setUp({ uncommittedBytesMax: 100 });
  assert.ok(backlog.push(submission(1, 500)));
  assert.ok(!backlog.push(submission(2, 1)));
  backlog.next();
  assert.ok(backlog.push(submission(3, 60)));
  assert.ok(!backlog.push(submission(4, 41)));
  assert.ok(backlog.push(submission(5, 40)));
});

test('messages aside come before all others once they are released, in order (OneAtATime)', () => {
  const backlog = setUp();
  const [a, b] = [document('a'), document('b')];
  for (const tag of [1, 2, 3, 4, 5]) backlog.push(submission(tag));
  backlog.aside(a, backlog.next()!);
  backlog.aside(b, backlog.next()!);
  backlog.aside(a, backlog.next()!);
  assert.ok(a.parked && backlog.isAside(a));
  backlog.release(a);
  assert.ok(!a.parked && !backlog.isAside(a) && b.parked);
  assert.deepEqual(takeAll(backlog), [1, 3, 4, 5]);
  assert.equal(backlog.count, 1);
  assert.ok(!backlog.hasNext);
  backlog.release(b);
  assert.deepEqual(takeAll(backlog), [2]);
  assert.equal(backlog.count, 0);
});

test('messages whose time is up are taken out, aside too, and their documents are let go', () => {
  const backlog = setUp();
  const a = document('a');
  for (const tag of [1, 2, 3, 4]) backlog.push(submission(tag, 10, tag === 3 ? 2000 : 1000));
  backlog.aside(a, backlog.next()!);
  const expired: number[] = [];
  backlog.expire(({ tag, expiresMs }) => {
    if (expiresMs > 1500) return false;
    expired.push(tag);
    return true;
  });
  assert.deepEqual(expired, [1, 2]);
  assert.ok(!a.parked);
  assert.equal(backlog.count, 2);
});

test('drained, a backlog gives everything and holds no document', () => {
  const backlog = setUp();
  const a = document('a');
  for (const tag of [1, 2, 3]) backlog.push(submission(tag));
  backlog.aside(a, backlog.next()!);
  assert.deepEqual(
    backlog.drain().map(({ tag }) => tag),
    [1, 2, 3],
  );
  assert.equal(backlog.count, 0);
  assert.ok(!a.parked);
  assert.ok(backlog.push(submission(4)));
});
