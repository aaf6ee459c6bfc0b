import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { type Message, SYSTEM_SPACE } from '@deltabase/machine';
import { countProblem, messageProblem, nameProblem, spaceProblem } from '../src/check-message.js';
import { sampleMessage } from './support/samples.js';

const LIMITS = { ...DEFAULT_LIMITS, payloadBytesMax: 10, principalBytesMax: 8 };
const SESSION = sampleMessage().session;

function isSound(changes: Partial<Message>): boolean {
  const sound = sampleMessage({ payload: new Uint8Array(10), principal: 'anyone' });
  const problem = messageProblem({ ...sound, ...changes }, LIMITS);
  assert.ok(problem === undefined || problem.code === 'INVALID_ARGUMENT');
  return problem === undefined;
}

test('a message within its limits is sound, also in the system space', () => {
  assert.ok(isSound({}));
  assert.ok(isSound({ space: SYSTEM_SPACE, key: 'machines' }));
  assert.ok(isSound({ session: { name: '', openedAt: 0, settled: 0 }, number: 0 }));
});

test('names that are none, and what is too large or no text, are refused', () => {
  assert.ok(!isSound({ space: 'No Space' }));
  assert.ok(!isSound({ key: '' }));
  assert.ok(!isSound({ channel: 'No' }));
  assert.ok(!isSound({ payload: new Uint8Array(11) }));
  assert.ok(!isSound({ principal: 'x'.repeat(9) }));
  // Bytes of UTF-8, not letters.
  assert.ok(isSound({ principal: 'éééé' }));
  assert.ok(!isSound({ principal: 'ééééé' }));
  assert.ok(!isSound({ principal: '\ud800' }));
  assert.ok(!isSound({ session: { ...SESSION, name: 'x'.repeat(65) } }));
  assert.ok(!isSound({ session: { ...SESSION, name: '\udc00' } }));
});

test('numbers that do not count are refused', () => {
  for (const number of [0, -1, 0.5, Number.NaN, 2 ** 53]) assert.ok(!isSound({ number }));
  const anonymous = { name: '', openedAt: 0, settled: 0 };
  assert.ok(!isSound({ session: anonymous, number: 1 }));
  for (const bad of [-1, 0.5, Number.NaN]) {
    assert.ok(!isSound({ after: bad }));
    assert.ok(!isSound({ session: { ...SESSION, openedAt: bad } }));
    assert.ok(!isSound({ session: { ...SESSION, settled: bad } }));
  }
});

test('the names of documents and spaces, and counts, are checked by themselves too', () => {
  assert.equal(nameProblem('log', 'a', LIMITS), undefined);
  assert.equal(nameProblem(SYSTEM_SPACE, 'a', LIMITS), undefined);
  assert.equal(nameProblem('log', 'a\n', LIMITS)?.code, 'INVALID_ARGUMENT');
  assert.equal(spaceProblem(SYSTEM_SPACE, LIMITS)?.code, 'INVALID_ARGUMENT');
  assert.equal(countProblem('seq', 1, 1), undefined);
  assert.equal(countProblem('seq', 0, 1)?.code, 'INVALID_ARGUMENT');
  assert.equal(countProblem('seq', 1.5, 1)?.code, 'INVALID_ARGUMENT');
});
