import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
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
  const inFlight = new InFlight(DEFAULT_LIMITS);
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
  const inFlight = new InFlight(DEFAULT_LIMITS);
  const one = pending(ANONYMOUS);
  inFlight.add(one);
  assert.equal(inFlight.count, 1);
  assert.equal(inFlight.find(ANONYMOUS), undefined);
  inFlight.addSilent(ANONYMOUS, ACCEPTED);
  assert.ok(!inFlight.has('', 0));
  inFlight.remove(one);
  assert.equal(inFlight.count, 0);
});

test('an answer that is owed for a message that did not run makes no retry wait', () => {
  const inFlight = new InFlight(DEFAULT_LIMITS);
  const refused = pending();
  inFlight.owe(refused);
  assert.equal(inFlight.count, 1);
  assert.equal(inFlight.find(sampleMessage()), undefined);
  assert.ok(!inFlight.has('c1', 1));
  inFlight.remove(refused);
  assert.equal(inFlight.count, 0);
});

test('a message without effect keeps its answer and its place for a while, then it is forgotten', () => {
  const { silentAnswerMs } = DEFAULT_LIMITS;
  const inFlight = new InFlight(DEFAULT_LIMITS);
  inFlight.addSilent(sampleMessage({ number: 5 }), ACCEPTED);
  inFlight.addSilent(sampleMessage({ number: 6 }), ACCEPTED);
  inFlight.forgetOld(silentAnswerMs);
  inFlight.forgetOld(2 * silentAnswerMs - 1);
  assert.ok(inFlight.has('c1', 5) && inFlight.has('c1', 6) && !inFlight.has('c1', 7));
  const again = inFlight.find(sampleMessage({ number: 5 }));
  assert.equal(again?.end, ACCEPTED);
  assert.ok(again?.isTo(sampleMessage()) && !again.isTo(sampleMessage({ key: 'b' })));
  inFlight.forgetOld(2 * silentAnswerMs);
  assert.ok(!inFlight.has('c1', 5));
  assert.equal(inFlight.find(sampleMessage({ number: 5 })), undefined);
});

test('answers without effect are remembered within limits of count and bytes', () => {
  const reply = new Uint8Array(100);
  for (const limits of [{ silentAnswersMax: 10 }, { silentBytesMax: 1000 }]) {
    const inFlight = new InFlight({ ...DEFAULT_LIMITS, ...limits });
    for (let number = 1; number <= 100; number++) {
      inFlight.addSilent(sampleMessage({ number }), { kind: 'accepted', seq: 1, reply });
    }
    const known = Array.from({ length: 100 }, (_, at) => inFlight.has('c1', at + 1));
    const count = known.filter((is) => is).length;
    assert.ok(count > 10 && count <= 20, `${count} are remembered`);
    assert.ok(
      known.slice(-count).every((is) => is),
      'the latest ones',
    );
  }
});

test('more answers than are owed are a defect', () => {
  assert.throws(() => new InFlight(DEFAULT_LIMITS).remove(pending()), /no more answers/);
});
