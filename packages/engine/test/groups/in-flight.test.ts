import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InFlight, PendingAnswer } from '../../src/groups/in-flight.js';
import type { AnswerSink, Result } from '../../src/results.js';
import { sampleMessage } from '../support/samples.js';
import { RecordingSink } from '../support/sink.js';

const ACCEPTED: Result = { kind: 'accepted', seq: 1, reply: undefined };
const ANONYMOUS = sampleMessage({ session: { name: '', openedAt: 0, settled: 0 }, number: 0 });

function pending(message = sampleMessage(), sink = new RecordingSink()): PendingAnswer {
  return new PendingAnswer({ message, sink, tag: 1, expiresMs: 0 });
}

test('a retry of a message in flight gets the same answer as the first (AckedIsDurable)', () => {
  const inFlight = new InFlight();
  const [first, second] = [new RecordingSink(), new RecordingSink()];
  const one = pending(sampleMessage(), first);
  inFlight.add(one);
  assert.equal(inFlight.find(sampleMessage()), one);
  assert.equal(inFlight.find(sampleMessage({ number: 2 })), undefined);
  inFlight.join(one, second, 9);
  assert.equal(inFlight.count, 2);
  inFlight.remove(one);
  const touched = new Set<AnswerSink>();
  one.answer(ACCEPTED, touched);
  assert.deepEqual([first.tags, second.tags], [[1], [9]]);
  assert.deepEqual(first.answers[0]!.result, second.answers[0]!.result);
  assert.deepEqual([...touched], [first, second]);
  assert.equal(inFlight.count, 0);
  assert.equal(inFlight.find(sampleMessage()), undefined);
});

test('a number used for another document is told apart from a retry', () => {
  const one = pending(sampleMessage({ key: 'a' }));
  assert.ok(one.isTo(sampleMessage({ key: 'a' })));
  assert.ok(!one.isTo(sampleMessage({ key: 'b' })));
  assert.ok(!one.isTo(sampleMessage({ key: 'a', space: 'other' })));
});

test('messages without a session are counted and never found', () => {
  const inFlight = new InFlight();
  const one = pending(ANONYMOUS);
  inFlight.add(one);
  assert.equal(inFlight.count, 1);
  assert.equal(inFlight.find(ANONYMOUS), undefined);
  inFlight.addSilent(ANONYMOUS);
  assert.ok(!inFlight.has('', 0));
  inFlight.remove(one);
  assert.equal(inFlight.count, 0);
});

test('an answer that is owed for a message that did not run makes no retry wait', () => {
  const inFlight = new InFlight();
  const refused = pending();
  inFlight.owe(refused);
  assert.equal(inFlight.count, 1);
  assert.equal(inFlight.find(sampleMessage()), undefined);
  assert.ok(!inFlight.has('c1', 1));
  inFlight.remove(refused);
  assert.equal(inFlight.count, 0);
});

test('messages without effect keep their session’s order for a while, then are forgotten', () => {
  const inFlight = new InFlight();
  inFlight.addSilent(sampleMessage({ number: 5 }));
  inFlight.addSilent(sampleMessage({ number: 6 }));
  inFlight.forgetOld();
  assert.ok(inFlight.has('c1', 5) && inFlight.has('c1', 6) && !inFlight.has('c1', 7));
  inFlight.forgetOld();
  assert.ok(!inFlight.has('c1', 5));
});

test('more answers than are owed are a defect', () => {
  assert.throws(() => new InFlight().remove(pending()), /no more answers/);
});
